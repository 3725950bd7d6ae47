import { useMemo } from 'react';
import { applyTrainingProgress, useMetricsStore, useTrainingStore } from '@/stores/trainingStore';
import type { Training } from '@/types/training.types';
import type { SeriesPoint } from '@/utils/series';
import { useLiveFetch } from './usePoll';
import { useResources } from './useResources';
import { useRealtimeEvent, useRoom } from './useWebSocket';

/** All trainings, live; `items` is null until the first answer. */
export function useTrainings() {
  useRealtimeEvent('training.progress', applyTrainingProgress);
  return useResources(useTrainingStore);
}

/** Is in the room of a training that has not ended, so that its progress arrives. */
export function useTrainingRoom(training: Pick<Training, 'id' | 'status'>): void {
  const isOpen = ['initializing', 'training'].includes(training.status);
  useRoom(isOpen ? `training:${training.id}` : null);
}

/** The curve of a training: fetched once, then extended by events, and fetched again at its end. */
export function useTrainingCurve(training: Pick<Training, 'id' | 'status'>) {
  const { fetch } = useMetricsStore.getState();
  const curve = useMetricsStore((state) => state.byTraining[training.id]);
  const load = () =>
    fetch(training.id).catch(() => {
      // The card shows the connection's state; the next reconnect or turn fetches again.
    });
  useLiveFetch(load, `${training.id} ${training.status}`);
  return curve?.points;
}

/** The curves of several trainings by id, each as soon as it was read; live where they run. */
export function useTrainingCurves(
  trainings: readonly Pick<Training, 'id' | 'status'>[],
): Readonly<Record<string, readonly SeriesPoint[]>> {
  const { fetch } = useMetricsStore.getState();
  const byTraining = useMetricsStore((state) => state.byTraining);
  const load = () => {
    // As above: the next reconnect or turn fetches what could not be read.
    return Promise.all(trainings.map(({ id }) => fetch(id).catch(() => undefined)));
  };
  useLiveFetch(load, trainings.map(({ id, status }) => `${id} ${status}`).join());
  return useMemo(() => {
    const known = trainings.flatMap(({ id }) => {
      const points = byTraining[id]?.points;
      return points ? [[id, points] as const] : [];
    });
    return Object.fromEntries(known);
  }, [trainings, byTraining]);
}
