import type { SteeringGenerate, SteeringResult } from '@/types/steering.types';
import { post } from './api';

/** Generation on a slow processor takes longer than the client's usual patience. */
const TIMEOUT_MS = 600_000;

export const steeringService = {
  generate: (body: SteeringGenerate, signal?: AbortSignal) =>
    post<SteeringResult>('/steering/generate', body, { signal, timeout: TIMEOUT_MS }),
};
