import type { JobAccepted } from '@/types/api.types';
import type { Estimate } from '@/types/estimate.types';
import type { Activation, ActivationExtract } from '@/types/model.types';
import { get, getAll, post, remove } from './api';

export const activationService = {
  list: () => getAll<Activation>('/activations'),
  get: (id: string) => get<Activation>(`/activations/${id}`),
  /** What an extraction would take; nothing is started. */
  estimate: (body: ActivationExtract, signal?: AbortSignal) =>
    post<Estimate>('/activations/estimate', body, { ...(signal ? { signal } : {}) }),
  extract: (body: ActivationExtract) => post<JobAccepted>('/activations/extract', body),
  remove: (id: string) => remove<JobAccepted>(`/activations/${id}`),
};
