import { datasetService } from '@/services/datasetService';
import type { Dataset } from '@/types/dataset.types';
import type { JobUpdated } from '@/types/event.types';
import type { Job } from '@/types/job.types';
import { isTurn, withJob } from '@/utils/jobs';
import { createResourceStore, type ResourceState } from './resourceStore';

export const useDatasetStore = createResourceStore({
  type: 'dataset',
  kinds: ['dataset_download', 'dataset_import', 'dataset_delete'],
  list: datasetService.list,
  get: datasetService.get,
  remove: datasetService.remove,
});

function ownerOf(state: ResourceState<Dataset>, job: Job): Dataset | undefined {
  return state.items?.find((item) => item.tokenizations.some((t) => t.id === job.resource_id));
}

/** Puts a tokenisation's job into the dataset that it belongs to. */
export function applyTokenizationEvent(
  state: ResourceState<Dataset>,
  event: JobUpdated,
): Pick<ResourceState<Dataset>, 'items'> {
  const owner = ownerOf(state, event.data);
  if (!owner || !state.items) return { items: state.items };
  const tokenizations = [...withJob(owner.tokenizations, event.data)];
  const index = state.items.indexOf(owner);
  return { items: state.items.with(index, { ...owner, tokenizations }) };
}

/** Follows a dataset's own jobs and those of its tokenisations. */
export function applyToDatasets(event: JobUpdated): void {
  const state = useDatasetStore.getState();
  if (event.data.resource_type !== 'tokenization') {
    state.apply(event);
    return;
  }
  const owner = ownerOf(state, event.data);
  const known = owner?.tokenizations.find((t) => t.id === event.data.resource_id);
  useDatasetStore.setState((current) => applyTokenizationEvent(current, event));
  if (owner && isTurn(known?.job, event.data)) void state.refresh(owner.id);
}
