import type { Job, JobKind, JobLog, JobState } from '@/types/job.types';
import { get, getPage, post } from './api';

const HISTORY_PAGE = 25;

export const jobService = {
  list: () => getPage<Job>('/jobs', { limit: 50 }),
  /** Jobs in one of these states, newest first. */
  history: (states: readonly JobState[], page: number, signal?: AbortSignal) =>
    getPage<Job>('/jobs', { state: states, page, limit: HISTORY_PAGE }, signal),
  get: (id: string) => get<Job>(`/jobs/${id}`),
  cancel: (id: string) => post<Job>(`/jobs/${id}/cancel`),
  pause: (id: string) => post<Job>(`/jobs/${id}/pause`),
  resume: (id: string) => post<Job>(`/jobs/${id}/resume`),
  /** Does a failed or cancelled job again, as a new job. */
  retry: (id: string) => post<Job>(`/jobs/${id}/retry`),
  /** The end of what its processes wrote. */
  log: (id: string, signal?: AbortSignal) => get<JobLog>(`/jobs/${id}/log`, undefined, signal),
  /** The newest job of a kind on a resource that ended well, for its result; null without one. */
  lastSucceeded: async (kind: JobKind, resourceId: string, signal?: AbortSignal) => {
    const query = { kind, resource_id: resourceId, state: 'succeeded', limit: 1 };
    const { items } = await getPage<Job>('/jobs', query, signal);
    return items[0] ?? null;
  },
};
