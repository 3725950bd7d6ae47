import type { JobAccepted, PageOf } from '@/types/api.types';
import type {
  Ablation,
  Correlations,
  ExampleKind,
  Feature,
  FeatureChange,
  FeatureExample,
  FeatureExtract,
  FeatureLabelling,
  FeatureMap,
  FeaturePatch,
  FeatureProbe,
  FeatureRow,
  Interval,
  LabelWriter,
  LogitLens,
  Neighbours,
  PackedMap,
  ProbeResult,
} from '@/types/feature.types';
import { get, getPage, patch, post } from './api';
import { unpackMap } from './packedMap';

/** Columns that the feature list sorts by; `relevance` needs a search. */
export type FeatureSort =
  | 'relevance'
  | 'neuron_index'
  | 'name'
  | 'top_token'
  | 'cluster'
  | 'interpretability'
  | FeatureFigure;

/** Measured columns: sortable, and a range of them can be asked for. */
export type FeatureFigure =
  | 'activation_frequency'
  | 'max_activation'
  | 'mean_activation'
  | 'p99_activation'
  | 'n_fires'
  | 'interpretability_score'
  | 'token_concentration'
  | 'effective_tokens'
  | 'token_entropy'
  | 'token_rule'
  | 'context_shift'
  | 'coherence'
  | 'logit_kurtosis'
  | 'nearest_cosine'
  | 'max_jaccard'
  | 'encoder_decoder_cosine'
  | 'output_score'
  | 'input_score';

export interface FeatureListQuery {
  training_id: string;
  page: number;
  limit: number;
  search?: string | undefined;
  /** Features that fire on the search, read as a text, are hits too. */
  live?: boolean | undefined;
  sort_by: FeatureSort;
  order: 'asc' | 'desc';
  is_favorite?: boolean | undefined;
  /** `column:from:to`, either bound may be empty. */
  range?: readonly string[] | undefined;
  tag?: readonly string[] | undefined;
}

/** The warm process may have to load the model first. */
const PATIENCE_MS = 180_000;

export const featureService = {
  /** With the cursor of the page before, a page is as quick at the end as at the start. */
  list: (
    query: FeatureListQuery,
    signal?: AbortSignal,
    cursor?: string | null,
  ): Promise<PageOf<FeatureRow>> =>
    getPage<FeatureRow>('/features', { ...query, ...(cursor ? { cursor } : {}) }, signal),

  get: (id: number) => get<Feature>(`/features/${id}`),

  update: (id: number, changes: FeaturePatch) => patch<Feature>(`/features/${id}`, changes),

  /** Takes the latest change back that a person made. */
  undo: (id: number) => post<Feature>(`/features/${id}/undo`),

  history: (id: number, signal?: AbortSignal) =>
    get<FeatureChange[]>(`/features/${id}/history`, undefined, signal),

  /** The strongest contexts first; near misses the closest first. */
  examples: (id: number, topK: number, kind: ExampleKind = 'top', signal?: AbortSignal) =>
    get<FeatureExample[]>(`/features/${id}/activations`, { top_k: topK, kind }, signal),

  intervals: (id: number, signal?: AbortSignal) =>
    get<Interval[]>(`/features/${id}/intervals`, undefined, signal),

  logitLens: (id: number) => get<LogitLens>(`/features/${id}/logit-lens`),

  correlations: (id: number, signal?: AbortSignal) =>
    get<Correlations>(`/features/${id}/correlations`, undefined, signal),

  neighbours: (id: number, signal?: AbortSignal) =>
    get<Neighbours>(`/features/${id}/neighbours`, undefined, signal),

  /** Answers when it is done; an aborted request cancels its job. */
  ablation: (id: number, contexts: number, signal?: AbortSignal) =>
    get<Ablation>(`/features/${id}/ablation`, { contexts }, signal, PATIENCE_MS),

  /** Answers when it is done; an aborted request cancels its job. */
  probe: (body: FeatureProbe, signal?: AbortSignal) =>
    post<ProbeResult>('/features/probe', body, {
      timeout: PATIENCE_MS,
      ...(signal ? { signal } : {}),
    }),

  map: async (trainingId: string, signal?: AbortSignal): Promise<FeatureMap> =>
    unpackMap(await get<PackedMap>('/features/map/packed', { training_id: trainingId }, signal)),

  /** Starts the discovery job; what it replaces stays readable until it is done. */
  extract: (body: FeatureExtract) => post<JobAccepted>('/features/extract', body),

  /** Starts the job that measures which features steer and which read. */
  score: (trainingId: string) => post<JobAccepted>('/features/score', { training_id: trainingId }),

  /** Starts the job that recomputes random contexts; its result says what differs. */
  audit: (trainingId: string) => post<JobAccepted>('/features/audit', { training_id: trainingId }),

  /** What on this machine could write labels. */
  labelWriters: (signal?: AbortSignal) => get<LabelWriter[]>('/features/label-writers', {}, signal),

  /** Starts the job that asks one of them; names of people stay. */
  writeLabels: (body: FeatureLabelling) => post<JobAccepted>('/features/labels', body),
};
