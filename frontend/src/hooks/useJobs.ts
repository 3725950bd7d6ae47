import { useShallow } from 'zustand/react/shallow';
import { jobService } from '@/services/jobService';
import { selectLatestJob, selectLiveJobs, useJobStore } from '@/stores/jobStore';
import type { Job, JobKind, JobState } from '@/types/job.types';
import { isLive } from '@/utils/jobs';
import { useRequest } from './useRequest';

/** Jobs that wait or run, kept true by the App's own subscription. */
export function useJobs() {
  const live = useJobStore(useShallow(selectLiveJobs));
  const problem = useJobStore((state) => state.problem);
  const isLoaded = useJobStore((state) => state.isLoaded);
  const { fetch } = useJobStore.getState();
  return { live, problem, isLoading: !isLoaded && problem === null, refetch: () => void fetch() };
}

/** A page of ended jobs; asked again whenever another one ends. */
export function useJobHistory(states: readonly JobState[], page: number) {
  const ended = useJobStore(
    (state) => Object.values(state.byId).filter((job) => !isLive(job.state)).length,
  );
  return useRequest(`${states.join()}/${page}/${ended}`, (signal) =>
    jobService.history(states, page, signal),
  );
}

/** The newest live job of a kind, whatever it works on: a request waits for it. */
export function useLiveJobOf(kind: JobKind): Job | undefined {
  return useJobStore(
    useShallow((state) =>
      selectLiveJobs(state)
        .filter((job) => job.kind === kind)
        .at(-1),
    ),
  );
}

/** The newest job of a kind on a resource, live. */
export function useLatestJob(kind: JobKind, resourceId: string): Job | undefined {
  return useJobStore(useShallow((state) => selectLatestJob(state, kind, resourceId)));
}

/** The newest job of a kind on a resource that ended well, read again when another ends. */
export function useLastSucceeded(kind: JobKind, resourceId: string): Job | null {
  const known = useLatestJob(kind, resourceId);
  const key = `last ${kind} ${resourceId} ${known?.id}/${known?.state}`;
  const { data } = useRequest(key, (signal) => jobService.lastSucceeded(kind, resourceId, signal));
  return data;
}
