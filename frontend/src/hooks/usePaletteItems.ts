import { useMemo } from 'react';
import { useDatasetStore } from '@/stores/datasetStore';
import { useModelStore } from '@/stores/modelStore';
import { useTrainingStore } from '@/stores/trainingStore';
import { VIEWS } from '@/utils/constants';
import { humanize } from '@/utils/format';
import { navigate, type UrlPatch } from '@/utils/urlState';

export interface Place {
  id: string;
  label: string;
  hint: string;
  run: () => void;
}

function place(hint: string, id: string, label: string, patch: UrlPatch): Place {
  return { id: `${hint}:${id}`, label, hint, run: () => navigate(patch) };
}

/** Everywhere the palette can go: the views, and what the lists read so far hold. */
export function usePaletteItems(): Place[] {
  const datasets = useDatasetStore((state) => state.items);
  const models = useModelStore((state) => state.items);
  const trainings = useTrainingStore((state) => state.items);
  return useMemo(
    () => [
      ...VIEWS.map((view) => place('view', view, humanize(view), { tab: view })),
      ...(trainings ?? []).flatMap(({ id, name, n_features: n }) => [
        place('training', id, name, { tab: 'training', training: id }),
        ...(n ? [place('features', id, name, { tab: 'features', training: id })] : []),
      ]),
      ...(datasets ?? []).map(({ id, name }) =>
        place('dataset', id, name, { tab: 'datasets', dataset: id }),
      ),
      ...(models ?? []).map(({ id, name }) =>
        place('model', id, name, { tab: 'models', model: id }),
      ),
    ],
    [datasets, models, trainings],
  );
}
