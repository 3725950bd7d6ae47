import { useJobStore } from '@/stores/jobStore';
import type { Problem } from '@/types/api.types';
import { useAction } from './useAction';

interface ResourceActions {
  isRemoving: boolean;
  onRemove: () => void;
  onCancel: (jobId: string) => void;
  /** Why the last click failed. */
  problem: Problem | null;
}

/** What every card of a resource can do: delete it, cancel its job. */
export function useResourceActions(
  id: string,
  send: (id: string) => Promise<void>,
): ResourceActions {
  const remove = useAction(send);
  const cancel = useAction(useJobStore.getState().cancel);
  return {
    isRemoving: remove.isBusy,
    onRemove: () => void remove.run(id),
    onCancel: (jobId) => void cancel.run(jobId),
    problem: remove.error ?? cancel.error,
  };
}
