import type { JobAccepted } from '@/types/api.types';
import type { Activation, ActivationExtract } from '@/types/model.types';
import { get, getAll, post, remove } from './api';

export const activationService = {
  list: () => getAll<Activation>('/activations'),
  get: (id: string) => get<Activation>(`/activations/${id}`),
  extract: (body: ActivationExtract) => post<JobAccepted>('/activations/extract', body),
  remove: (id: string) => remove<JobAccepted>(`/activations/${id}`),
};
