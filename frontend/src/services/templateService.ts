import type { PageOf } from '@/types/api.types';
import type {
  ExtractionTemplate,
  ExtractionTemplateWrite,
  Saved,
  TemplateBundle,
  TemplatesImported,
  TrainingTemplate,
  TrainingTemplateWrite,
} from '@/types/template.types';
import { getPage, http, patch, post, remove } from './api';

const MOST = 100;

/** One kind of saved settings: list, save, mark, delete. */
export interface SavedService<T extends Saved, W> {
  list: (signal?: AbortSignal) => Promise<PageOf<T>>;
  create: (body: W) => Promise<T>;
  mark: (id: string, isFavorite: boolean) => Promise<T>;
  remove: (id: string) => Promise<unknown>;
}

function savedAt<T extends Saved, W>(path: string): SavedService<T, W> {
  return {
    list: (signal) => getPage<T>(path, { limit: MOST }, signal),
    create: (body) => post<T>(path, body),
    mark: (id, isFavorite) => patch<T>(`${path}/${id}`, { is_favorite: isFavorite }),
    remove: (id) => remove<unknown>(`${path}/${id}`),
  };
}

export const trainingTemplates = savedAt<TrainingTemplate, TrainingTemplateWrite>(
  '/templates/training',
);
export const extractionTemplates = savedAt<ExtractionTemplate, ExtractionTemplateWrite>(
  '/templates/extraction',
);

export const templateExchange = {
  /** The file as the API makes it, which comes without the envelope. */
  export: async () => (await http.get<TemplateBundle>('/templates/export')).data,
  import: (bundle: unknown) => post<TemplatesImported>('/templates/import', bundle),
};
