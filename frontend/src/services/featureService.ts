import type { JobAccepted, PageOf } from '@/types/api.types';
import type {
  Feature,
  FeatureExample,
  FeatureExtract,
  FeaturePatch,
  FeatureRow,
  LogitLens,
} from '@/types/feature.types';
import { get, getPage, patch, post } from './api';

/** Columns that the feature list sorts by. */
export type FeatureSort =
  | 'activation_frequency'
  | 'max_activation'
  | 'mean_activation'
  | 'interpretability'
  | 'neuron_index'
  | 'name'
  | 'output_score'
  | 'input_score';

export interface FeatureListQuery {
  training_id: string;
  page: number;
  limit: number;
  search?: string | undefined;
  sort_by: FeatureSort;
  order: 'asc' | 'desc';
  is_favorite?: boolean | undefined;
}

export const featureService = {
  list: (query: FeatureListQuery, signal?: AbortSignal): Promise<PageOf<FeatureRow>> =>
    getPage<FeatureRow>('/features', { ...query }, signal),

  get: (id: number) => get<Feature>(`/features/${id}`),

  update: (id: number, changes: FeaturePatch) => patch<Feature>(`/features/${id}`, changes),

  /** The strongest contexts first. */
  examples: (id: number, topK: number) =>
    get<FeatureExample[]>(`/features/${id}/activations`, { top_k: topK }),

  logitLens: (id: number) => get<LogitLens>(`/features/${id}/logit-lens`),

  /** Starts the discovery job; what it replaces stays readable until it is done. */
  extract: (body: FeatureExtract) => post<JobAccepted>('/features/extract', body),
};
