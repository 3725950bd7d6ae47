import { toApiError } from '@/services/api';
import { sweepService } from '@/services/steeringService';
import { useJobStore } from '@/stores/jobStore';
import { toast } from '@/stores/uiStore';
import type { SweepRequest } from '@/types/steering.types';
import { isLiveJob } from '@/utils/jobs';
import { useAction } from './useAction';
import { useRequest } from './useRequest';
import { useUrlState } from './useUrlState';

/** The newest sweeps and the one that the address names, followed while its job runs. */
export function useSweeps(isShown: boolean) {
  const [id, select] = useUrlState('sweep', 'replace');
  const jobs = useJobStore((state) => state.byId);
  const job = id ? jobs[id] : undefined;
  const list = useRequest(isShown ? `sweeps/${job?.state ?? ''}` : null, (signal) =>
    sweepService.list(signal),
  );
  // The table is written after every prompt; the job's own events say when to look.
  const stage = job ? `${job.state}/${Math.floor(job.progress)}` : '';
  const sweep = useRequest(isShown && id ? `sweep/${id}/${stage}` : null, (signal) =>
    sweepService.get(id ?? '', signal),
  );

  const start = useAction(async (request: SweepRequest) => {
    const { job_id: made } = await sweepService.start(request);
    await useJobStore.getState().fetch();
    list.again();
    select(made);
  });
  const remove = useAction(async (gone: string) => {
    await sweepService.remove(gone);
    if (gone === id) select(null);
    list.again();
    toast('info', 'Sweep deleted');
  });
  const cancel = (running: string) =>
    void useJobStore
      .getState()
      .cancel(running)
      .catch((e: unknown) => toast('error', toApiError(e).message));

  const shown = sweep.data?.id === id ? sweep.data : null;
  return {
    id,
    select,
    list,
    sweep: { ...sweep, data: shown },
    job,
    isRunning: job ? isLiveJob(job) : isLiveState(shown?.state),
    start,
    remove,
    cancel,
  };
}

function isLiveState(state: string | undefined): boolean {
  return state === 'queued' || state === 'starting' || state === 'running';
}
