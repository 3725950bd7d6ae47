import { modelService } from '@/services/modelService';
import { useActivationStore } from '@/stores/activationStore';
import { useModelStore } from '@/stores/modelStore';
import { useRequest } from './useRequest';
import { useResources } from './useResources';

/** All language models, live; `items` is null until the first answer. */
export function useModels() {
  return useResources(useModelStore);
}

/** All activation stores, live. */
export function useActivations() {
  return useResources(useActivationStore);
}

/** The parts and places of a model; null until they are known. */
export function useArchitecture(modelId: string | null) {
  return useRequest(modelId && `architecture/${modelId}`, (signal) =>
    modelService.architecture(modelId ?? '', signal),
  );
}
