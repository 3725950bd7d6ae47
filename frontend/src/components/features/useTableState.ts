import { useMemo, useSyncExternalStore } from 'react';
import { subscribeToUrl } from '@/utils/urlState';
import { readTable, type TableState } from './featureQuery';

/** Search, order and page of the table, as the page's address has them. */
export function useTableState(): TableState {
  const search = useSyncExternalStore(subscribeToUrl, () => window.location.search);
  return useMemo(() => readTable(search), [search]);
}
