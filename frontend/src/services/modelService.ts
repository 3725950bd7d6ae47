import type { JobAccepted } from '@/types/api.types';
import type {
  LanguageModel,
  ModelArchitecture,
  ModelDownload,
  ModelImport,
} from '@/types/model.types';
import { get, getAll, post, remove } from './api';

export const modelService = {
  list: () => getAll<LanguageModel>('/models'),
  get: (id: string) => get<LanguageModel>(`/models/${id}`),
  download: (body: ModelDownload) => post<JobAccepted>('/models/download', body),
  importLocal: (body: ModelImport) => post<JobAccepted>('/models/import', body),
  architecture: (id: string) => get<ModelArchitecture>(`/models/${id}/architecture`),
  remove: (id: string) => remove<JobAccepted>(`/models/${id}`),
};
