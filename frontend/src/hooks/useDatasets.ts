import { applyToDatasets, useDatasetStore } from '@/stores/datasetStore';
import { useResources } from './useResources';

/** All datasets, live; `items` is null until the first answer. */
export function useDatasets() {
  return useResources(useDatasetStore, applyToDatasets);
}
