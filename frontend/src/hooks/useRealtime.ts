import { useJobStore } from '@/stores/jobStore';
import { useLiveFetch } from './usePoll';
import { useRealtimeEvent, useRoom, useSocketConnection } from './useWebSocket';

/** Mounted once by the App: opens the socket and keeps the list of jobs true. */
export function useRealtime(): void {
  const { fetch, apply } = useJobStore.getState();
  useSocketConnection();
  useRoom('jobs');
  useLiveFetch(fetch);
  useRealtimeEvent('job.updated', apply);
}
