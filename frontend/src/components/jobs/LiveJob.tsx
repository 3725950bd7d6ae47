import { ErrorBox } from '@/components/common/ErrorBox';
import { JobProgress } from '@/components/common/JobProgress';
import { useAction } from '@/hooks/useAction';
import { useJobStore } from '@/stores/jobStore';
import type { Job } from '@/types/job.types';
import { formatTime } from '@/utils/format';
import { jobLabel } from '@/utils/jobs';

interface LiveJobProps {
  job: Job;
  /** What it works on; null where that is not known. */
  subject: string | null;
  /** Jobs of the same queue before it. */
  ahead: number;
}

function waitText(job: Job, ahead: number): string | null {
  if (job.state !== 'queued') return job.message;
  return ahead === 0 ? 'Next in this queue' : `${ahead} before it in this queue`;
}

/** One job that runs or waits. */
export function LiveJob({ job, subject, ahead }: LiveJobProps) {
  const cancel = useAction(useJobStore.getState().cancel);
  const tries = job.attempt > 1 ? ` · attempt ${job.attempt} of ${job.max_attempts}` : '';
  const since = job.started_at ? `started ${formatTime(job.started_at)}` : 'waiting';
  return (
    <li className="space-y-2">
      <JobProgress
        label={[jobLabel(job.kind), subject, since + tries].filter(Boolean).join(' · ')}
        job={{ ...job, message: waitText(job, ahead) }}
        onCancel={() => void cancel.run(job.id)}
      />
      {cancel.error && <ErrorBox problem={cancel.error} />}
    </li>
  );
}
