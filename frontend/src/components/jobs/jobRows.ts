import type { Job, JobState } from '@/types/job.types';
import type { UrlPatch } from '@/utils/urlState';

export interface Queue {
  queue: string;
  /** Those that run first, then those that wait, oldest first. */
  jobs: Job[];
}

/** Live jobs by the worker that takes them, in the order in which it will. */
export function byQueue(jobs: readonly Job[]): Queue[] {
  const names = [...new Set(jobs.map((job) => job.queue))].sort();
  const waits = (job: Job) => Number(job.state === 'queued');
  return names.map((queue) => ({
    queue,
    jobs: jobs.filter((job) => job.queue === queue).sort((a, b) => waits(a) - waits(b)),
  }));
}

export const HISTORY_FILTERS = ['all', 'failed', 'succeeded', 'cancelled'] as const;
export type HistoryFilter = (typeof HISTORY_FILTERS)[number];

const STATES: Record<HistoryFilter, readonly JobState[]> = {
  all: ['succeeded', 'failed', 'cancelled', 'stopped', 'paused'],
  failed: ['failed'],
  succeeded: ['succeeded'],
  cancelled: ['cancelled', 'stopped'],
};

export function statesOf(filter: HistoryFilter): readonly JobState[] {
  return STATES[filter];
}

/** Where the thing that a job worked on is shown; null when it has no place of its own. */
export function placeOf(job: Pick<Job, 'resource_type' | 'resource_id' | 'kind'>): UrlPatch | null {
  const { resource_type: type, resource_id: id, kind } = job;
  if (!id || kind.endsWith('_delete')) return null;
  if (type === 'dataset') return { tab: 'datasets', dataset: id };
  if (type === 'tokenization') return { tab: 'datasets' };
  if (type === 'model') return { tab: 'models', model: id };
  if (type === 'activation') return { tab: 'models' };
  if (type !== 'training') return null;
  return { tab: kind.startsWith('feature_') ? 'features' : 'training', training: id };
}

/** Whether the API does it again: it failed or was cancelled. */
export function isRepeatable(job: Pick<Job, 'state'>): boolean {
  return job.state === 'failed' || job.state === 'cancelled';
}

/** Seconds between start and end; null for a job that never started or has not ended. */
export function secondsTaken(job: Pick<Job, 'started_at' | 'finished_at'>): number | null {
  if (!job.started_at || !job.finished_at) return null;
  return (Date.parse(job.finished_at) - Date.parse(job.started_at)) / 1000;
}
