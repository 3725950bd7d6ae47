import type { Dataset } from '@/types/dataset.types';
import type { Job } from '@/types/job.types';
import type { Activation, LanguageModel } from '@/types/model.types';
import type { Training } from '@/types/training.types';

/** What jobs work on, as far as it is known; null before the first answer. */
export interface Resources {
  datasets: readonly Dataset[] | null;
  models: readonly LanguageModel[] | null;
  activations: readonly Activation[] | null;
  trainings: readonly Training[] | null;
}

/** What a job works on, in the words of the page; null where it is gone or not known. */
export function subjectOf(
  job: Pick<Job, 'resource_type' | 'resource_id' | 'prompt'>,
  { datasets, models, activations, trainings }: Resources,
): string | null {
  const hasId = ({ id }: { id: string }) => id === job.resource_id;
  switch (job.resource_type) {
    case 'dataset':
      return datasets?.find(hasId)?.name ?? null;
    case 'tokenization':
      return datasets?.find(({ tokenizations }) => tokenizations.some(hasId))?.name ?? null;
    case 'model':
      return models?.find(hasId)?.name ?? null;
    case 'activation':
      return storeName(activations?.find(hasId));
    case 'training':
      return trainings?.find(hasId)?.name ?? null;
    default:
      return job.prompt ? `“${job.prompt}”` : null;
  }
}

function storeName(store: Activation | undefined): string | null {
  if (!store) return null;
  const layers = store.layers.length === 1 ? 'layer' : 'layers';
  return `${store.model_name} on ${store.dataset_name}, ${layers} ${store.layers.join(', ')}`;
}
