import type { RefObject } from 'react';
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

/** `/` search, `j` `k` next and previous row, `f` favourite, `s` steer, `c` compare. */
export function useTableKeys(keys: TableKeys): void {
  const { tableRef, searchRef, rows, reveal, onFavourite, onSteer, onCompare, isOn } = keys;
  const currentIndex = () => {
    const row = document.activeElement?.closest<HTMLElement>('[data-index]');
    return row && tableRef.current?.contains(row) ? Number(row.dataset.index) : -1;
  };
  const move = (step: number) => {
    const last = (rows.total ?? 0) - 1;
    const index = Math.min(last, Math.max(0, currentIndex() + step));
    if (focusRow(tableRef.current, index)) reveal.current(index);
    else {
      // Not drawn yet: it is as soon as the box has scrolled to it.
      reveal.current(index);
      requestAnimationFrame(() => focusRow(tableRef.current, index));
    }
  };
  const withCurrent = (act: (row: FeatureRow) => void) => {
    const row = rows.rowAt(currentIndex());
    if (row) act(row);
  };
  useKeys(
    {
      '/': () => searchRef.current?.focus(),
      j: () => move(1),
      k: () => move(-1),
      f: () => withCurrent(onFavourite),
      s: () => withCurrent(onSteer),
      c: () => withCurrent(onCompare),
    },
    isOn,
  );
}

function focusRow(table: HTMLElement | null, index: number): boolean {
  const selector = `[data-index="${index}"] [data-row-focus]`;
  const stop = table?.querySelector<HTMLElement>(selector);
  stop?.focus({ preventScroll: true });
  return stop != null;
}
