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

/** The list read anew; entries of which a later request told stay as that one left them. */
function joined<T extends Resource>(
  known: readonly T[],
  read: readonly T[],
  isLater: (id: string) => boolean,
): readonly T[] {
  const later = new Map(known.filter(({ id }) => isLater(id)).map((item) => [item.id, item]));
  const ids = new Set(read.map(({ id }) => id));
  const made = [...later.values()].filter(({ id }) => !ids.has(id));
  return [
    ...made,
    ...read.flatMap((item) => (isLater(item.id) ? (later.get(item.id) ?? []) : [item])),
  ];
}

/**
 * Makes the store of one kind of resource, newest first.
 *
 * Requests may be answered in another order than they were sent in: the later one knows more.
 */
export function createResourceStore<T extends Resource>(
  options: ResourceOptions<T>,
): UseBoundStore<StoreApi<ResourceStore<T>>> {
  let sent = 0;
  let listed = 0;
  /** By id: the request that told what the list now has of it. */
  const told = new Map<string, number>();
  const isLater = (id: string, request: number) => (told.get(id) ?? 0) > request;

  return create<ResourceStore<T>>((set, get) => ({
    items: null,
    problem: null,

    fetch: async () => {
      const request = ++sent;
      try {
        const read = await options.list();
        if (request < listed) return; // a later list is here, without what is gone
        listed = request;
        const isKnownBetter = (id: string) => isLater(id, request);
        set(({ items }) => ({ items: joined(items ?? [], read, isKnownBetter), problem: null }));
        for (const { id } of read) if (!isLater(id, request)) told.set(id, request);
      } catch (error) {
        set({ problem: toApiError(error) });
      }
    },

    refresh: async (id) => {
      const request = ++sent;
      const tell = (change: (items: readonly T[] | null) => readonly T[] | null) => {
        if (isLater(id, request)) return;
        told.set(id, request);
        set(({ items }) => ({ items: change(items) }));
      };
      try {
        const item = await options.get(id);
        tell((items) => upsert(items, item));
      } catch (error) {
        const problem = toApiError(error);
        if (problem.status !== 404) set({ problem });
        else tell((items) => items?.filter((item) => item.id !== id) ?? null);
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
