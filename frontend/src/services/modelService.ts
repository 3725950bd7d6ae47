import type { JobAccepted } from '@/types/api.types';
import type {
  LanguageModel,
  ModelArchitecture,
  ModelDownload,
  ModelImport,
  TokenizedText,
  TokenizeText,
} from '@/types/model.types';
import { get, getAll, post, remove } from './api';

export const modelService = {
  list: () => getAll<LanguageModel>('/models'),
  get: (id: string) => get<LanguageModel>(`/models/${id}`),
  download: (body: ModelDownload) => post<JobAccepted>('/models/download', body),
  importLocal: (body: ModelImport) => post<JobAccepted>('/models/import', body),
  architecture: (id: string, signal?: AbortSignal) =>
    get<ModelArchitecture>(`/models/${id}/architecture`, {}, signal),
  tokenize: (id: string, body: TokenizeText, signal?: AbortSignal) =>
    post<TokenizedText>(`/models/${id}/tokenize`, body, signal ? { signal } : {}),
  remove: (id: string) => remove<JobAccepted>(`/models/${id}`),
};
