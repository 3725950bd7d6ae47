import { type RefObject, useEffect, useEffectEvent } from 'react';
import type { FeatureRows } from '@/hooks/useFeatureRows';
import { useKeys } from '@/hooks/useKeys';
import type { FeatureRow } from '@/types/feature.types';
import type { RowActions } from './FeatureTableRow';

interface TableKeys extends Omit<RowActions, 'onOpen'> {
  tableRef: RefObject<HTMLElement | null>;
  searchRef: RefObject<HTMLInputElement | null>;
  rows: FeatureRows;
  reveal: RefObject<(index: number) => void>;
  isOn: boolean;
}

/** `/` search, `j` `k` next and previous row, `f` favourite, `s` steer, `c` compare, `x` choose, `Home` `End`. */
export function useTableKeys(keys: TableKeys): void {
  const { tableRef, searchRef, rows, reveal, onFavourite, onSteer, onCompare, onPick, isOn } = keys;
  const currentIndex = () => {
    const row = document.activeElement?.closest<HTMLElement>('[data-index]');
    return row && tableRef.current?.contains(row) ? Number(row.dataset.index) : -1;
  };
  const go = (index: number) => {
    const last = (rows.total ?? 0) - 1;
    const wanted = Math.min(last, Math.max(0, index));
    reveal.current(wanted);
    focusWhenThere(tableRef, wanted);
  };
  const withCurrent = (act: (row: FeatureRow) => void) => {
    const row = rows.rowAt(currentIndex());
    if (row) act(row);
  };
  useKeys(
    {
      '/': () => searchRef.current?.focus(),
      j: () => go(currentIndex() + 1),
      k: () => go(currentIndex() - 1),
      f: () => withCurrent(onFavourite),
      s: () => withCurrent(onSteer),
      c: () => withCurrent(onCompare),
      x: () => withCurrent(onPick),
    },
    isOn,
  );
  const ends = useEffectEvent((event: KeyboardEvent) => {
    if (!isOn || (event.key !== 'Home' && event.key !== 'End')) return;
    event.preventDefault();
    go(event.key === 'Home' ? 0 : Infinity);
  });
  useEffect(() => {
    const table = tableRef.current;
    const handle = (event: KeyboardEvent) => ends(event);
    table?.addEventListener('keydown', handle);
    return () => table?.removeEventListener('keydown', handle);
  }, [tableRef]);
}

/** A row far away is drawn and fetched first, which takes a busy server seconds. */
const PATIENCE_MS = 30_000;
let stopWaiting: () => void = () => undefined;

/** Focuses a row as soon as it is drawn, unless something else has taken the focus by then. */
function focusWhenThere(tableRef: RefObject<HTMLElement | null>, index: number): void {
  stopWaiting();
  const table = tableRef.current;
  if (!table) return;
  const before = document.activeElement;
  const find = () => table.querySelector<HTMLElement>(`[data-index="${index}"] [data-row-focus]`);
  const stop = find();
  if (stop) {
    stop.focus({ preventScroll: true });
    return;
  }
  const observer = new MutationObserver(() => {
    const isFree = [before, document.body].includes(document.activeElement);
    const drawn = isFree ? find() : null;
    drawn?.focus({ preventScroll: true });
    if (drawn || !isFree) stopWaiting();
  });
  const timer = setTimeout(() => stopWaiting(), PATIENCE_MS);
  stopWaiting = () => {
    clearTimeout(timer);
    observer.disconnect();
  };
  observer.observe(table, { childList: true, subtree: true });
}
