import { useEffect, useState } from 'react';

const SHOWN_MS = 1_500;

/** `[isCopied, copy]`: copies to the clipboard and is true for a moment after it. */
export function useCopy(): [boolean, (text: string) => void] {
  const [isCopied, setIsCopied] = useState(false);

  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => setIsCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);

  const copy = (text: string) => {
    navigator.clipboard.writeText(text).then(
      () => setIsCopied(true),
      () => setIsCopied(false),
    );
  };
  return [isCopied, copy];
}
