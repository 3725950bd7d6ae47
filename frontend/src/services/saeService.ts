import type { JobAccepted } from '@/types/api.types';
import type { Sae, SaeDownload, SaeImport } from '@/types/sae.types';
import { API_PREFIX, get, post, untilItBegins } from './api';

/** Dictionaries as things to exchange; their ids are those of their trainings. */
export const saeService = {
  get: (id: string, signal?: AbortSignal) => get<Sae>(`/saes/${id}`, {}, signal),
  importLocal: (body: SaeImport) => post<JobAccepted>('/saes/import', body),
  download: (body: SaeDownload) => post<JobAccepted>('/saes/download', body),

  /**
   * Waits until a checkpoint's archive can be fetched and says where. The first time it is
   * compared with the checkpoint, which a browser's own download would neither show nor explain.
   */
  prepareExport: async (id: string, step: number | null): Promise<string> => {
    const url = `${API_PREFIX}/saes/${id}/export${step === null ? '' : `?step=${step}`}`;
    await untilItBegins(url);
    return url;
  },
};
