import type { JobAccepted } from '@/types/api.types';
import type {
  Dataset,
  DatasetDownload,
  DatasetImport,
  DatasetSample,
  DatasetStats,
  TokenizePreview,
  TokenizePreviewRequest,
  TokenizeRequest,
} from '@/types/dataset.types';
import { get, getAll, getPage, post, remove } from './api';

export interface SampleQuery {
  page: number;
  limit: number;
  search?: string;
}

/** Uploads take as long as the file is large. */
const NO_TIMEOUT = 0;

export const datasetService = {
  list: () => getAll<Dataset>('/datasets'),
  get: (id: string) => get<Dataset>(`/datasets/${id}`),
  download: (body: DatasetDownload) => post<JobAccepted>('/datasets/download', body),
  importLocal: (body: DatasetImport) => post<JobAccepted>('/datasets/import', body),
  upload: (file: File, name: string, onProgress: (percent: number) => void) => {
    const form = new FormData();
    form.append('name', name);
    form.append('file', file);
    return post<JobAccepted>('/datasets/upload', form, {
      timeout: NO_TIMEOUT,
      onUploadProgress: ({ progress }) => onProgress((progress ?? 0) * 100),
    });
  },
  samples: (id: string, query: SampleQuery, signal?: AbortSignal) =>
    getPage<DatasetSample>(`/datasets/${id}/samples`, { ...query }, signal),
  stats: (id: string) => get<DatasetStats>(`/datasets/${id}/stats`),
  tokenize: (id: string, body: TokenizeRequest) =>
    post<JobAccepted>(`/datasets/${id}/tokenize`, body),
  previewTokens: (id: string, body: TokenizePreviewRequest) =>
    post<TokenizePreview>(`/datasets/${id}/tokenize-preview`, body),
  remove: (id: string) => remove<JobAccepted>(`/datasets/${id}`),
};
