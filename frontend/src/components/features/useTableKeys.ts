import type { RefObject } from 'react';
import { useKeys } from '@/hooks/useKeys';
import type { FeatureRow } from '@/types/feature.types';

interface TableKeys {
  tableRef: RefObject<HTMLElement | null>;
  searchRef: RefObject<HTMLInputElement | null>;
  rows: readonly FeatureRow[];
  onFavourite: (row: FeatureRow) => void;
  onSteer: (row: FeatureRow) => void;
  isOn: boolean;
}

/** `/` search, `j` `k` next and previous row, `f` favourite, `s` steer; Enter opens by itself. */
export function useTableKeys({
  tableRef,
  searchRef,
  rows,
  onFavourite,
  onSteer,
  isOn,
}: TableKeys): void {
  const focusables = () => [
    ...(tableRef.current?.querySelectorAll<HTMLElement>('[data-row-focus]') ?? []),
  ];
  const current = () => {
    const row = document.activeElement?.closest<HTMLElement>('[data-feature]');
    return rows.find(({ id }) => String(id) === row?.dataset.feature);
  };
  const move = (step: number) => {
    const stops = focusables();
    const row = document.activeElement?.closest('tr');
    const index = stops.findIndex((stop) => row?.contains(stop));
    stops[Math.min(stops.length - 1, Math.max(0, index + step))]?.focus();
  };
  const withCurrent = (act: (row: FeatureRow) => void) => {
    const row = current();
    if (row) act(row);
  };
  useKeys(
    {
      '/': () => searchRef.current?.focus(),
      j: () => move(1),
      k: () => move(-1),
      f: () => withCurrent(onFavourite),
      s: () => withCurrent(onSteer),
    },
    isOn,
  );
}
