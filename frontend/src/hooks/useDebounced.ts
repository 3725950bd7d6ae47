import { useEffect, useState } from 'react';

const DELAY_MS = 200;

/** The value after it has rested, so that typing does not send a request per letter. */
export function useDebounced<T>(value: T, delayMs = DELAY_MS): T {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), delayMs);
    return () => clearTimeout(timer);
  }, [value, delayMs]);
  return rested;
}
