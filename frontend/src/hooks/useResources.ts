import type { StoreApi, UseBoundStore } from 'zustand';
import type { ResourceStore } from '@/stores/resourceStore';
import type { JobUpdated } from '@/types/event.types';
import { useLiveFetch } from './usePoll';
import { useRealtimeEvent } from './useWebSocket';

/** The list of a store, fetched on mount and kept true by events, reconnects and polls. */
export function useResources<T>(
  useStore: UseBoundStore<StoreApi<ResourceStore<T>>>,
  apply?: (event: JobUpdated) => void,
) {
  const items = useStore((state) => state.items);
  const problem = useStore((state) => state.problem);
  const { fetch, apply: applyOwn } = useStore.getState();
  useLiveFetch(fetch);
  useRealtimeEvent('job.updated', apply ?? applyOwn);
  return { items, problem, fetch };
}
