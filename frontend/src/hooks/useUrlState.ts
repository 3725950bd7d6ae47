import { useCallback, useSyncExternalStore } from 'react';
import { TABS, type Tab } from '@/utils/constants';
import { navigate, subscribeToUrl } from '@/utils/urlState';

const readSearch = () => window.location.search;

/**
 * One parameter of the query as state: `const [id, setId] = useUrlState('training')`.
 *
 * Null when absent; setting null removes it. `replace` keeps the history short (filters).
 */
export function useUrlState(
  key: string,
  mode: 'push' | 'replace' = 'push',
): [string | null, (value: string | number | null) => void] {
  const search = useSyncExternalStore(subscribeToUrl, readSearch);
  const set = useCallback(
    (value: string | number | null) => navigate({ [key]: value }, mode),
    [key, mode],
  );
  return [new URLSearchParams(search).get(key), set];
}

/** The tab named in the query; the first one when it names none. */
export function useActiveTab(): [Tab, (tab: Tab) => void] {
  const [value, set] = useUrlState('tab');
  return [TABS.find((tab) => tab === value) ?? TABS[0], set];
}
