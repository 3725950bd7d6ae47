import { jobService } from '@/services/jobService';
import { featureService } from '@/services/featureService';
import { toApiError } from '@/services/api';
import { useFeatureStore } from '@/stores/featureStore';
import { selectLatestJob, useJobStore } from '@/stores/jobStore';
import { toast } from '@/stores/uiStore';
import type { Problem } from '@/types/api.types';
import type {
  Feature,
  FeatureExample,
  FeatureExtract,
  FeatureRow,
  LogitLens,
} from '@/types/feature.types';
import type { Job, JobKind } from '@/types/job.types';
import { isLiveJob } from '@/utils/jobs';
import { useAction } from './useAction';
import { useLiveFetch } from './usePoll';
import { useRequest } from './useRequest';
import { useRealtimeEvent } from './useWebSocket';

/** Jobs after which what is known of the features is out of date. */
const MEASURING: ReadonlySet<JobKind> = new Set([
  'feature_extract',
  'feature_import',
  'feature_score',
  'feature_label',
]);

/** A discovery job and what starts it. */
export interface Discovery {
  job: Job | undefined;
  /** What the newest pass that ended well reports. */
  lastResult: Job['result'];
  isRunning: boolean;
  isStarting: boolean;
  problem: Problem | null;
  fieldErrors: Record<string, string>;
  start: (request: FeatureExtract) => void;
  cancel: () => void;
}

/** The discovery of a training's features; `onDone` is called when a pass ends well. */
export function useDiscovery(trainingId: string, onDone: () => void): Discovery {
  const jobs = useJobStore();
  const job = selectLatestJob(jobs, 'feature_extract', trainingId);
  const last = useRequest(`discovery:${trainingId}`, (signal) =>
    jobService.lastSucceeded('feature_extract', trainingId, signal),
  );
  const start = useAction(async (request: FeatureExtract) => {
    await featureService.extract(request);
    await jobs.fetch();
  });

  useRealtimeEvent('job.updated', ({ data }) => {
    const isOurs = MEASURING.has(data.kind);
    if (!isOurs || data.resource_id !== trainingId || data.state !== 'succeeded') return;
    last.again();
    onDone();
  });

  const cancel = () => {
    if (job) jobs.cancel(job.id).catch((e: unknown) => toast('error', toApiError(e).message));
  };
  return {
    job,
    lastResult: last.data?.result ?? null,
    isRunning: isLiveJob(job),
    isStarting: start.isBusy,
    problem: start.error,
    fieldErrors: start.error?.fieldErrors ?? {},
    start: (request) => void start.run(request),
    cancel,
  };
}

const INTERPRETABLE_FROM = 0.5;

/** How many features are interpretable, or why that is not known. */
export type InterpretableCount = number | 'uncounted' | 'unmeasured';

/** How many features of a training are interpretable; null before the answer. */
export function useInterpretableCount(
  trainingId: string | null,
  measured: unknown,
): InterpretableCount | null {
  const key = trainingId && `interpretable ${trainingId} ${JSON.stringify(measured)}`;
  const { data } = useRequest(key, async (signal): Promise<InterpretableCount> => {
    const best = {
      training_id: trainingId ?? '',
      page: 1,
      limit: 1,
      sort_by: 'interpretability_score',
      order: 'desc',
    } as const;
    const range = [`interpretability_score:${INTERPRETABLE_FROM}:`];
    const { pagination } = await featureService.list({ ...best, range }, signal);
    if (pagination.total_is_capped) return 'uncounted';
    if (pagination.total > 0) return pagination.total;
    // None reaches one half: either all are below it, or none was scored at all.
    const { items } = await featureService.list(best, signal);
    return typeof items[0]?.interpretability_score === 'number' ? 0 : 'unmeasured';
  });
  return data;
}

/** Something read for one feature. */
export interface Loaded<T> {
  value: T | null;
  problem: Problem | null;
  refetch: () => void;
}

/** The feature as far as it is known: the table's row paints at once, the rest follows. */
export function useFeature(id: number): Loaded<Feature> & { row: FeatureRow | null } {
  const detail = useFeatureStore((state) => state.details[id] ?? null);
  const row = useFeatureStore((state) => state.rows[id] ?? null);
  const { fetchDetail } = useFeatureStore.getState();
  const loaded = useLoaded(`detail:${id}`, detail, () => fetchDetail(id));
  return { ...loaded, row: detail ?? row };
}

export function useFeatureExamples(id: number): Loaded<FeatureExample[]> {
  const examples = useFeatureStore((state) => state.examples[id] ?? null);
  return useLoaded(`examples:${id}`, examples, () => useFeatureStore.getState().fetchExamples(id));
}

export function useLogitLens(id: number): Loaded<LogitLens> {
  const lens = useFeatureStore((state) => state.lenses[id] ?? null);
  return useLoaded(`lens:${id}`, lens, () => useFeatureStore.getState().fetchLens(id));
}

function useLoaded<T>(key: string, value: T | null, fetch: () => Promise<void>): Loaded<T> {
  const request = useFeatureStore((state) => state.requests[key]);
  // An open feature outlives a pass that measures all of them anew.
  const forgotten = useFeatureStore((state) => state.forgotten);
  useLiveFetch(() => (value === null ? fetch() : undefined), `${key} ${forgotten}`);
  return {
    value,
    problem: request?.state === 'error' ? request.problem : null,
    refetch: () => void fetch(),
  };
}
