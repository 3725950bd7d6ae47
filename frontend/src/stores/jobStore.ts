import { create } from 'zustand';
import { jobService } from '@/services/jobService';
import { toApiError } from '@/services/api';
import type { Problem } from '@/types/api.types';
import type { JobUpdated } from '@/types/event.types';
import type { Job, JobKind } from '@/types/job.types';
import { isLive } from '@/utils/jobs';

interface JobState {
  byId: Record<string, Job>;
}

interface JobStore extends JobState {
  problem: Problem | null;
  /** Whether the list was read once. */
  isLoaded: boolean;
  fetch: () => Promise<void>;
  cancel: (id: string) => Promise<void>;
  apply: (event: JobUpdated) => void;
}

/** Takes the event's job unless a newer state of it is known. */
export function applyEvent<S extends JobState>(state: S, event: JobUpdated): S | Pick<S, 'byId'> {
  const known = state.byId[event.data.id];
  if (known && known.seq >= event.data.seq) return state;
  return { byId: { ...state.byId, [event.data.id]: event.data } };
}

/** Joins a fetched list; a job that an event told more of in the meantime stays as it is. */
function mergeJobs(known: Record<string, Job>, fetched: readonly Job[]): Record<string, Job> {
  const newer = fetched.filter((job) => (known[job.id]?.seq ?? -1) <= job.seq);
  return { ...known, ...Object.fromEntries(newer.map((job) => [job.id, job])) };
}

export const useJobStore = create<JobStore>((set) => ({
  byId: {},
  problem: null,
  isLoaded: false,

  fetch: async () => {
    try {
      const { items } = await jobService.list();
      set((state) => ({ byId: mergeJobs(state.byId, items), problem: null, isLoaded: true }));
    } catch (error) {
      set({ problem: toApiError(error) });
    }
  },

  cancel: async (id) => {
    const job = await jobService.cancel(id);
    // The event of its end may have come before this answer.
    set((state) => ({ byId: mergeJobs(state.byId, [job]) }));
  },

  apply: (event) => set((state) => applyEvent(state, event)),
}));

/** Jobs that wait or run, oldest first. */
export function selectLiveJobs(state: JobState): Job[] {
  return Object.values(state.byId)
    .filter((job) => isLive(job.state))
    .sort((a, b) => a.created_at.localeCompare(b.created_at));
}

/** The newest job of a kind on a resource, such as the feature extraction of a training. */
export function selectLatestJob(
  state: JobState,
  kind: JobKind,
  resourceId: string | null,
): Job | undefined {
  return Object.values(state.byId)
    .filter((job) => job.kind === kind && job.resource_id === resourceId)
    .sort((a, b) => b.created_at.localeCompare(a.created_at))[0];
}
