import { useJobStore } from '@/stores/jobStore';
import { useMissedEvents } from './useMissedEvents';
import { useLiveFetch } from './usePoll';
import { useRealtimeEvent, useRoom, useSocketConnection } from './useWebSocket';

/** Mounted once by the App: opens the socket and keeps the list of jobs true. */
export function useRealtime(): void {
  const { fetch, apply } = useJobStore.getState();
  useSocketConnection();
  useMissedEvents();
  useRoom('jobs');
  useLiveFetch(fetch);
  useRealtimeEvent('job.updated', apply);
}
