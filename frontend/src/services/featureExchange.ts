import type { JobAccepted } from '@/types/api.types';
import { API_PREFIX, http, post } from './api';
import type { FeatureListQuery } from './featureService';

export type ExportFormat = 'csv' | 'json' | 'saedashboard' | 'parquet' | 'neuronpedia';

type Selection = Omit<FeatureListQuery, 'page' | 'limit' | 'sort_by' | 'order'>;

/** Uploads take as long as the file is large. */
const NO_TIMEOUT = 0;

/** Address of a download: the features that a filter lets through, in a format. */
export function exportUrl(query: Selection, format: ExportFormat): string {
  const { training_id, search, is_favorite, range, tag } = query;
  const params = { training_id, search, is_favorite, range, tag, format };
  return http.getUri({ url: `${API_PREFIX}/features/export`, baseURL: '', params });
}

export const featureExchange = {
  /** Sends an archive; the answer names the job that reads it. */
  upload: (
    trainingId: string,
    file: File,
    anyDictionary: boolean,
    onProgress: (percent: number) => void,
  ) => {
    const form = new FormData();
    form.append('training_id', trainingId);
    form.append('any_dictionary', String(anyDictionary));
    form.append('file', file);
    return post<JobAccepted>('/features/upload', form, {
      timeout: NO_TIMEOUT,
      onUploadProgress: ({ progress }) => onProgress((progress ?? 0) * 100),
    });
  },
};
