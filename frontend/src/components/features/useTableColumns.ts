import { useMemo } from 'react';
import { useUrlState } from '@/hooks/useUrlState';
import { readColumns, writeColumns, type Column } from './tableColumns';

const REMEMBERED = 'mistudio.feature-columns';

function remembered(): string | null {
  return window.localStorage.getItem(REMEMBERED);
}

/** The columns shown: those of the address, else those of last time, else the default ones. */
export function useTableColumns(): [Column[], (ids: readonly string[]) => void] {
  const [text, setText] = useUrlState('cols', 'replace');
  const choose = (ids: readonly string[]) => {
    const next = writeColumns(ids);
    if (next === null) window.localStorage.removeItem(REMEMBERED);
    else window.localStorage.setItem(REMEMBERED, next);
    setText(next);
  };
  const shown = text ?? remembered();
  return [useMemo(() => readColumns(shown), [shown]), choose];
}
