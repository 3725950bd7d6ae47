import { useAction } from '@/hooks/useAction';
import { useDatasetStore } from '@/stores/datasetStore';
import { toast } from '@/stores/uiStore';
import type { JobAccepted } from '@/types/api.types';

/** Sends a form, then shows the new dataset in the list. */
export function useAddDataset<A extends unknown[]>(send: (...args: A) => Promise<JobAccepted>) {
  return useAction(async (...args: A) => {
    const accepted = await send(...args);
    if (accepted.resource_id) await useDatasetStore.getState().refresh(accepted.resource_id);
    toast('info', 'The dataset is on its way; its progress is in the list below.');
  });
}
