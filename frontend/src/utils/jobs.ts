import type { Problem } from '@/types/api.types';
import type { Job, JobKind, JobState, JobSummary } from '@/types/job.types';

const LIVE: ReadonlySet<JobState> = new Set(['queued', 'starting', 'running', 'interrupted']);

/** Waits, runs or will be taken up again by itself. */
export function isLive(state: JobState): boolean {
  return LIVE.has(state);
}

export function isLiveJob<J extends Pick<JobSummary, 'state'>>(
  job: J | null | undefined,
): job is J {
  return job != null && isLive(job.state);
}

const LABELS: Record<JobKind, string> = {
  dataset_download: 'Downloading dataset',
  dataset_import: 'Importing dataset',
  dataset_tokenize: 'Tokenising dataset',
  dataset_delete: 'Deleting dataset',
  model_download: 'Downloading model',
  model_import: 'Importing model',
  model_delete: 'Deleting model',
  activation_extract: 'Extracting activations',
  activation_delete: 'Deleting activations',
  training_run: 'Training',
  training_grid: 'Training several dictionaries',
  training_evaluate: 'Measuring',
  training_delete: 'Deleting training',
  sae_import: 'Importing dictionary',
  sae_check: 'Checking an export',
  feature_extract: 'Extracting features',
  feature_import: 'Importing features',
  feature_score: 'Scoring features',
  feature_export: 'Exporting features',
  feature_label: 'Writing labels',
  feature_audit: 'Auditing features',
  feature_probe: 'Trying features',
  feature_ablate: 'Ablating a feature',
  steering_generate: 'Generating',
  steering_sweep: 'Sweeping strengths',
};

export function jobLabel(kind: JobKind): string {
  return LABELS[kind];
}

/** What is shown of a job before the first news of it has come. */
export const WAITING_JOB = {
  state: 'queued',
  progress: 0,
  message: null,
  eta_seconds: null,
  requested: null,
} as const satisfies Partial<JobSummary>;

/** What a failed job says; null while it has not failed. */
export function jobProblem(
  job: Pick<JobSummary, 'error_code' | 'error_message'> | null | undefined,
): Problem | null {
  if (!job?.error_message) return null;
  return { message: job.error_message, code: job.error_code ?? undefined };
}

interface Resource {
  id: string;
  job: JobSummary | null;
}

/** Whether a job works on a resource: on the one that it names, or on all that share the job. */
export function worksOn(job: Pick<Job, 'id' | 'kind' | 'resource_id'>, item: Resource): boolean {
  if (job.kind === 'training_grid') return item.job?.id === job.id;
  return item.id === job.resource_id;
}

/**
 * Puts an event's job into the resources it works on.
 *
 * Returns the same array when nothing changed: no such resource, or a state already known.
 */
export function withJob<T extends Resource>(items: readonly T[], job: Job): readonly T[] {
  const isNews = (item: T) =>
    worksOn(job, item) && !(item.job?.id === job.id && item.job.seq >= job.seq);
  if (!items.some(isNews)) return items;
  return items.map((item) => (isNews(item) ? { ...item, job } : item));
}

/** Whether the event says more than progress, so that the resource must be fetched again. */
export function isTurn(known: Pick<JobSummary, 'id' | 'state'> | null | undefined, job: Job) {
  return known?.id !== job.id || known.state !== job.state;
}
