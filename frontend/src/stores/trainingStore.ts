import { create } from 'zustand';
import { trainingService } from '@/services/trainingService';
import type { TrainingProgress } from '@/types/event.types';
import type { MetricPoint, Training } from '@/types/training.types';
import { isMetricPoint, mergePoints, type SeriesPoint } from '@/utils/series';
import { createResourceStore, type ResourceState } from './resourceStore';

export const useTrainingStore = createResourceStore({
  type: 'training',
  kinds: ['training_run', 'training_grid', 'sae_import'],
  list: trainingService.list,
  get: trainingService.get,
  remove: trainingService.remove,
});

interface Curve {
  points: readonly SeriesPoint[];
  /** Sequence number of the last event in the points. */
  seq: number;
}

interface MetricsState {
  byTraining: Record<string, Curve>;
}

interface MetricsStore extends MetricsState {
  fetch: (trainingId: string) => Promise<void>;
  apply: (event: TrainingProgress) => void;
}

/** Moves a training to the step of a progress event; older events change nothing. */
export function applyProgress(
  state: ResourceState<Training>,
  event: TrainingProgress,
): Pick<ResourceState<Training>, 'items'> {
  const { training_id: id, ...news } = event.data;
  const index = state.items?.findIndex((item) => item.id === id) ?? -1;
  const item = state.items?.[index];
  if (!item || !state.items || news.step < item.current_step) return { items: state.items };
  const latest = event.data.points.filter(isMetricPoint).at(-1);
  return {
    items: state.items.with(index, {
      ...item,
      status: news.status,
      current_step: news.step,
      total_steps: news.total_steps,
      progress: news.progress,
      latest_metrics: latest
        ? toMetricPoint(latest, event.timestamp ?? item.updated_at)
        : item.latest_metrics,
    }),
  };
}

function toMetricPoint(point: SeriesPoint, timestamp: string): MetricPoint {
  return {
    loss: null,
    sparsity: null,
    reconstruction_error: null,
    dead_neurons: null,
    explained_variance: null,
    learning_rate: null,
    grad_norm: null,
    tokens_per_second: null,
    gpu_utilization: null,
    memory_used_bytes: null,
    floor_share: null,
    timestamp,
    ...point,
  };
}

/** Appends an event's points to the training's curve; an event already applied changes nothing. */
export function applyPoints(state: MetricsState, event: TrainingProgress): MetricsState {
  const id = event.data.training_id;
  const curve = state.byTraining[id];
  if (curve && curve.seq >= event.seq) return state;
  const news = event.data.points.filter(isMetricPoint);
  const stamped = news.map((point) => ({ timestamp: event.timestamp, ...point }));
  const points = mergePoints(curve?.points ?? [], stamped);
  return { byTraining: { ...state.byTraining, [id]: { points, seq: event.seq } } };
}

export const useMetricsStore = create<MetricsStore>((set) => ({
  byTraining: {},

  fetch: async (id) => {
    const points = await trainingService.metrics(id);
    // A fetch may follow a restart whose events count from one again, so the number starts anew.
    set((state) => ({ byTraining: { ...state.byTraining, [id]: { points, seq: 0 } } }));
  },

  apply: (event) => set((state) => applyPoints(state, event)),
}));

/** Follows a running training: its entry and its curve. */
export function applyTrainingProgress(event: TrainingProgress): void {
  useTrainingStore.setState((state) => applyProgress(state, event));
  useMetricsStore.getState().apply(event);
}
