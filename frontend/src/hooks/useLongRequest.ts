import { useEffect, useRef, useState } from 'react';
import { type ApiError, isAborted, toApiError } from '@/services/api';

interface Outcome<T> {
  data: T | null;
  error: ApiError | null;
  isBusy: boolean;
}

export interface LongRequest<A extends unknown[], T> extends Outcome<T> {
  run: (...args: A) => void;
  /** Ends the request; the server then cancels what it started for it. */
  cancel: () => void;
}

/**
 * A request that takes its time and that a person may end; a new run takes the place of the old one.
 *
 * What was found before stays until the next answer. Leaving the screen ends the request.
 */
export function useLongRequest<A extends unknown[], T>(
  request: (signal: AbortSignal, ...args: A) => Promise<T>,
): LongRequest<A, T> {
  const [outcome, setOutcome] = useState<Outcome<T>>({ data: null, error: null, isBusy: false });
  const current = useRef<AbortController | null>(null);
  useEffect(() => () => current.current?.abort(), []);

  const run = async (...args: A) => {
    current.current?.abort();
    const own = new AbortController();
    current.current = own;
    setOutcome((old) => ({ ...old, error: null, isBusy: true }));
    try {
      const data = await request(own.signal, ...args);
      if (current.current === own) setOutcome({ data, error: null, isBusy: false });
    } catch (failure) {
      if (current.current !== own || isAborted(failure)) return;
      setOutcome((old) => ({ ...old, error: toApiError(failure), isBusy: false }));
    }
  };
  const cancel = () => {
    current.current?.abort();
    setOutcome((old) => ({ ...old, isBusy: false }));
  };
  return { ...outcome, run: (...args) => void run(...args), cancel };
}
