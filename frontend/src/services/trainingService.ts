import type { JobAccepted } from '@/types/api.types';
import type { Estimate } from '@/types/estimate.types';
import type {
  Checkpoint,
  MetricPoint,
  Training,
  TrainingCreate,
  TrainingCreated,
  TrainingGridCreate,
  TrainingGridCreated,
} from '@/types/training.types';
import { MAX_POINTS } from '@/utils/constants';
import { get, getAll, post, remove } from './api';

export type TrainingAction = 'pause' | 'resume' | 'stop';

export const trainingService = {
  list: () => getAll<Training>('/trainings'),
  get: (id: string) => get<Training>(`/trainings/${id}`),
  create: (body: TrainingCreate) => post<TrainingCreated>('/trainings', body),
  /** What a training would take; nothing is started. */
  estimate: (body: TrainingCreate, signal?: AbortSignal) =>
    post<Estimate>('/trainings/estimate', body, { ...(signal ? { signal } : {}) }),
  /** Several trainings in one run. */
  createGrid: (body: TrainingGridCreate) => post<TrainingGridCreated>('/trainings/grid', body),
  estimateGrid: (body: TrainingGridCreate, signal?: AbortSignal) =>
    post<Estimate>('/trainings/grid/estimate', body, { ...(signal ? { signal } : {}) }),
  act: (id: string, action: TrainingAction) => post<Training>(`/trainings/${id}/${action}`),
  metrics: (id: string) =>
    get<MetricPoint[]>(`/trainings/${id}/metrics`, { max_points: MAX_POINTS }),
  checkpoints: (id: string) => get<Checkpoint[]>(`/trainings/${id}/checkpoints`),
  saveCheckpoint: (id: string) => post<unknown>(`/trainings/${id}/checkpoints`),
  loadCheckpoint: (id: string, checkpointId: string) =>
    post<Training>(`/trainings/${id}/checkpoints/${checkpointId}/load`),
  removeCheckpoint: (id: string, checkpointId: string) =>
    remove<unknown>(`/trainings/${id}/checkpoints/${checkpointId}`),
  remove: (id: string) => remove<JobAccepted>(`/trainings/${id}`),
};
