import { useEffect, useEffectEvent } from 'react';
import { useConnectionStore } from '@/stores/connectionStore';
import { POLL_INTERVAL_MS } from '@/utils/constants';

/**
 * Fetches on mount, again after every reconnect, and every two seconds while the socket is away.
 *
 * @param key Changes when something else is to be fetched, such as the id of a resource.
 */
export function useLiveFetch(fetch: () => unknown, key: string | number | null = ''): void {
  const run = useEffectEvent(() => void fetch());
  const reconnects = useConnectionStore((state) => state.reconnects);
  const stale = useConnectionStore((state) => state.stale);

  useEffect(() => {
    if (key !== null) run();
  }, [key, reconnects]);

  useEffect(() => {
    if (!stale || key === null) return undefined;
    const timer = setInterval(() => run(), POLL_INTERVAL_MS);
    return () => clearInterval(timer);
  }, [stale, key]);
}
