import { useRequest } from '@/hooks/useRequest';
import { datasetService } from '@/services/datasetService';
import type { Dataset } from '@/types/dataset.types';

/** Statistics of a ready dataset, measured anew after each tokenisation. */
export function useDatasetStats(dataset: Dataset) {
  const ready = dataset.tokenizations.filter((item) => item.status === 'ready').length;
  return useRequest(`${dataset.id}/stats/${ready}`, () => datasetService.stats(dataset.id));
}
