import { useCallback, useSyncExternalStore } from 'react';
import { type View, VIEWS } from '@/utils/constants';
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

/** The view named in the query; the first tab when it names none. */
export function useActiveView(): [View, (view: View) => void] {
  const [value, set] = useUrlState('tab');
  return [VIEWS.find((view) => view === value) ?? VIEWS[0], set];
}

/** One of a few values in the query; the first is the default and leaves no trace there. */
export function useUrlChoice<T extends string>(
  key: string,
  choices: readonly [T, ...T[]],
): [T, (value: T) => void] {
  const [value, set] = useUrlState(key, 'replace');
  const choose = (next: T) => set(next === choices[0] ? null : next);
  return [choices.find((choice) => choice === value) ?? choices[0], choose];
}
