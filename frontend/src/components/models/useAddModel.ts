import { useAction } from '@/hooks/useAction';
import { useModelStore } from '@/stores/modelStore';
import { toast } from '@/stores/uiStore';
import type { JobAccepted } from '@/types/api.types';

/** Sends a form, then shows the new model in the list. */
export function useAddModel<A extends unknown[]>(send: (...args: A) => Promise<JobAccepted>) {
  return useAction(async (...args: A) => {
    const accepted = await send(...args);
    if (accepted.resource_id) await useModelStore.getState().refresh(accepted.resource_id);
    toast('info', 'The model is on its way; its progress is in the list below.');
  });
}
