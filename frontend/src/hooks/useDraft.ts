import { useEffect, useState } from 'react';
import { useDebounced } from './useDebounced';
import { useUrlState } from './useUrlState';

/** Addresses grow no longer than this by one text; servers and browsers refuse very long ones. */
const LONGEST_IN_URL = 2_000;
const REST_MS = 500;

/**
 * A text that a person types: at once on the screen, after a rest in the address.
 *
 * @returns The text, its setter, and the text as it last rested.
 */
export function useDraft(key: string): [string, (text: string) => void, string] {
  const [stored, store] = useUrlState(key, 'replace');
  const [text, setText] = useState(stored ?? '');
  const rested = useDebounced(text, REST_MS);
  useEffect(() => {
    store(rested.length > LONGEST_IN_URL ? null : rested);
  }, [rested, store]);
  return [text, setText, rested];
}
