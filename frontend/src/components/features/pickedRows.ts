import { useMemo } from 'react';
import { useUrlState } from '@/hooks/useUrlState';
import { navigate } from '@/utils/urlState';
import type { FeatureRow } from '@/types/feature.types';

/** An address holds no more. */
export const MAX_PICKED = 100;

/** The ids in an address, such as `7.8`; what is no id is left out. */
export function readPicked(text: string | null): ReadonlySet<number> {
  const ids = (text ?? '').split('.').map(Number);
  return new Set(ids.filter((id) => Number.isInteger(id) && id > 0).slice(0, MAX_PICKED));
}

/** The rows that were chosen to do something with all of them; in the page's address. */
export function usePicked(): ReadonlySet<number> {
  const [text] = useUrlState('picked', 'replace');
  return useMemo(() => readPicked(text), [text]);
}

export function togglePicked({ id }: Pick<FeatureRow, 'id'>): void {
  const picked = new Set(readPicked(new URLSearchParams(window.location.search).get('picked')));
  if (!picked.delete(id) && picked.size < MAX_PICKED) picked.add(id);
  navigate({ picked: [...picked].join('.') || null }, 'replace');
}

export function pickNone(): void {
  navigate({ picked: null }, 'replace');
}
