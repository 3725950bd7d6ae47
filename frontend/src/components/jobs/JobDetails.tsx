import { ArrowRight, Play, RotateCcw } from 'lucide-react';
import { Button } from '@/components/common/Button';
import { ErrorBox } from '@/components/common/ErrorBox';
import { useAction } from '@/hooks/useAction';
import { jobService } from '@/services/jobService';
import { useJobStore } from '@/stores/jobStore';
import type { Job } from '@/types/job.types';
import { formatDateTime } from '@/utils/format';
import { jobProblem } from '@/utils/jobs';
import { navigate } from '@/utils/urlState';
import { JobLogBox } from './JobLogBox';
import { isRepeatable, placeOf } from './jobRows';

/** What came of a job that ended, its log, and how to do it again. */
export function JobDetails({ job }: { job: Job }) {
  const { fetch } = useJobStore.getState();
  const act = useAction(async (send: (id: string) => Promise<Job>) => {
    await send(job.id);
    await fetch();
  });
  const problem = jobProblem(job);
  const place = placeOf(job);
  const facts = [
    ['Started', formatDateTime(job.started_at)],
    ['Queue', job.queue],
    ['Attempt', `${job.attempt} of ${job.max_attempts}`],
    ['Last message', job.message ?? '–'],
    ['Id', job.id],
  ] as const;
  return (
    <div className="space-y-4 px-12 pt-1 pb-5 text-sm">
      {problem && <ErrorBox problem={problem} />}
      <dl className="grid grid-cols-[8rem_1fr] gap-y-1">
        {facts.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-slate-400">{name}</dt>
            <dd className="min-w-0 font-mono break-words text-slate-200">{value}</dd>
          </div>
        ))}
      </dl>
      <JobLogBox job={job} />
      {act.error && <ErrorBox problem={act.error} />}
      <div className="flex flex-wrap gap-2 empty:hidden">
        {job.state === 'paused' && (
          <Button
            size="sm"
            variant="primary"
            icon={Play}
            busy={act.isBusy}
            onClick={() => void act.run(jobService.resume)}
          >
            Resume
          </Button>
        )}
        {isRepeatable(job) && (
          <Button
            size="sm"
            variant="retry"
            icon={RotateCcw}
            busy={act.isBusy}
            onClick={() => void act.run(jobService.retry)}
          >
            Do it again
          </Button>
        )}
        {place && (
          <Button size="sm" icon={ArrowRight} onClick={() => navigate(place)}>
            Show what it worked on
          </Button>
        )}
      </div>
    </div>
  );
}
