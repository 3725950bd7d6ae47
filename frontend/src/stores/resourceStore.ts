import { create, type StoreApi, type UseBoundStore } from 'zustand';
import { toApiError } from '@/services/api';
import type { JobAccepted, Problem } from '@/types/api.types';
import type { JobUpdated } from '@/types/event.types';
import type { JobKind, JobSummary, ResourceType } from '@/types/job.types';
import { isTurn, withJob, worksOn } from '@/utils/jobs';

interface Resource {
  id: string;
  job: JobSummary | null;
}

/** A list that the server keeps: null until it was fetched. */
export interface ResourceState<T> {
  items: readonly T[] | null;
  /** Why the last fetch failed. */
  problem: Problem | null;
}

export interface ResourceStore<T> extends ResourceState<T> {
  fetch: () => Promise<void>;
  /** Fetches one entry again; an entry that is gone leaves the list. */
  refresh: (id: string) => Promise<void>;
  remove: (id: string) => Promise<void>;
  apply: (event: JobUpdated) => void;
}

interface ResourceOptions<T> {
  type: ResourceType;
  /** Kinds of job that the entry's own status and progress come from. */
  kinds: readonly JobKind[];
  list: () => Promise<T[]>;
  get: (id: string) => Promise<T>;
  remove: (id: string) => Promise<JobAccepted>;
}

/** Puts the job of an event into the entry it works on. */
export function applyEvent<T extends Resource>(
  state: ResourceState<T>,
  event: JobUpdated,
): Pick<ResourceState<T>, 'items'> {
  return { items: state.items && withJob(state.items, event.data) };
}

function upsert<T extends Resource>(items: readonly T[] | null, item: T): readonly T[] {
  const index = items?.findIndex((known) => known.id === item.id) ?? -1;
  if (!items || index < 0) return [item, ...(items ?? [])];
  return items.with(index, item);
}

/** Makes the store of one kind of resource, newest first. */
export function createResourceStore<T extends Resource>(
  options: ResourceOptions<T>,
): UseBoundStore<StoreApi<ResourceStore<T>>> {
  return create<ResourceStore<T>>((set, get) => ({
    items: null,
    problem: null,

    fetch: async () => {
      try {
        set({ items: await options.list(), problem: null });
      } catch (error) {
        set({ problem: toApiError(error) });
      }
    },

    refresh: async (id) => {
      try {
        const item = await options.get(id);
        set((state) => ({ items: upsert(state.items, item) }));
      } catch (error) {
        const problem = toApiError(error);
        if (problem.status !== 404) set({ problem });
        else set((state) => ({ items: state.items?.filter((item) => item.id !== id) ?? null }));
      }
    },

    remove: async (id) => {
      await options.remove(id);
      await get().refresh(id);
    },

    apply: (event) => {
      const { resource_type: type, resource_id: id, kind } = event.data;
      if (type !== options.type || id === null) return;
      const known = get().items?.filter((item) => worksOn(event.data, item)) ?? [];
      if (options.kinds.includes(kind)) set((state) => applyEvent(state, event));
      const turned = known.filter((item) => isTurn(item.job, event.data));
      for (const item of turned) void get().refresh(item.id);
      if (known.length === 0) void get().refresh(id);
    },
  }));
}
