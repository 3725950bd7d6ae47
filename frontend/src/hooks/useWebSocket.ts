import { useEffect, useEffectEvent } from 'react';
import { realtime } from '@/services/websocket';
import { useConnectionStore } from '@/stores/connectionStore';
import type { EventName, Events } from '@/types/event.types';
import { AWAY_BEFORE_POLL_MS } from '@/utils/constants';

/** Opens the socket for the page's lifetime and keeps the connection store true. */
export function useSocketConnection(): void {
  const { setStatus, setStale } = useConnectionStore.getState();
  const status = useConnectionStore((state) => state.status);

  useEffect(() => {
    const off = realtime.onStatus(setStatus);
    realtime.connect();
    return off;
  }, [setStatus]);

  const isConnected = status === 'connected';
  useEffect(() => {
    if (isConnected) return undefined;
    const timer = setTimeout(setStale, AWAY_BEFORE_POLL_MS);
    return () => clearTimeout(timer);
  }, [isConnected, setStale]);
}

/** Is in a room while mounted; null joins none. */
export function useRoom(room: string | null): void {
  useEffect(() => (room ? realtime.subscribe(room) : undefined), [room]);
}

/** Calls the handler for every event of this name in the joined rooms. */
export function useRealtimeEvent<N extends EventName>(
  name: N,
  handler: (event: Events[N]) => void,
): void {
  const handle = useEffectEvent(handler);
  useEffect(() => realtime.on(name, (event) => handle(event)), [name]);
}
