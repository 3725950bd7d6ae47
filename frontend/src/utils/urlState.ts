/** A change of the query: null removes a parameter. */
export type UrlPatch = Record<string, string | number | boolean | null>;

/** Returns the query with the changes applied, `?` included, or an empty string. */
export function patchQuery(search: string, patch: UrlPatch): string {
  const params = new URLSearchParams(search);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null || value === '') params.delete(key);
    else params.set(key, String(value));
  }
  const query = params.toString();
  return query ? `?${query}` : '';
}

const listeners = new Set<() => void>();

export function subscribeToUrl(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener('popstate', listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener('popstate', listener);
  };
}

/**
 * Changes the query without a reload.
 *
 * `push` makes a history entry (tabs, opened details), `replace` does not (filters, sorting).
 */
export function navigate(patch: UrlPatch, mode: 'push' | 'replace' = 'push'): void {
  const query = patchQuery(window.location.search, patch);
  if (query === window.location.search) return;
  const url = `${window.location.pathname}${query}`;
  if (mode === 'push') window.history.pushState(null, '', url);
  else window.history.replaceState(null, '', url);
  for (const listener of listeners) listener();
}
