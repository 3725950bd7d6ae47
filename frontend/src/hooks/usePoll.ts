import { useEffect, useEffectEvent } from 'react';
import { useConnectionStore } from '@/stores/connectionStore';
import { POLL_INTERVAL_MS } from '@/utils/constants';

/**
 * Fetches on mount, again after every reconnect, and every two seconds while the socket is away;
 * not while the fetch before is still under way, or a slow server would get more of them than it answers.
 *
 * @param fetch Gives a promise, so that its end is known.
 * @param key Changes when something else is to be fetched, such as the id of a resource.
 */
export function useLiveFetch(fetch: () => unknown, key: string | number | null = ''): void {
  const run = useEffectEvent(() => fetch());
  const reconnects = useConnectionStore((state) => state.reconnects);
  const stale = useConnectionStore((state) => state.stale);

  useEffect(() => {
    if (key !== null) void run();
  }, [key, reconnects]);

  useEffect(() => {
    if (!stale || key === null) return undefined;
    let isAsking = false;
    const ask = async () => {
      if (isAsking) return;
      isAsking = true;
      try {
        await run();
      } finally {
        isAsking = false;
      }
    };
    const timer = setInterval(() => void ask(), POLL_INTERVAL_MS);
    return () => clearInterval(timer);
  }, [stale, key]);
}
