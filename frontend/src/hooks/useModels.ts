import { useActivationStore } from '@/stores/activationStore';
import { useModelStore } from '@/stores/modelStore';
import { useResources } from './useResources';

/** All language models, live; `items` is null until the first answer. */
export function useModels() {
  return useResources(useModelStore);
}

/** All activation stores, live. */
export function useActivations() {
  return useResources(useActivationStore);
}
