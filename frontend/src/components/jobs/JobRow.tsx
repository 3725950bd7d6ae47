import { ArrowRight, ChevronRight } from 'lucide-react';
import { Button } from '@/components/common/Button';
import { ErrorBox } from '@/components/common/ErrorBox';
import { StatusBadge } from '@/components/common/StatusBadge';
import type { Job } from '@/types/job.types';
import { classNames } from '@/utils/classNames';
import { formatDateTime, formatDuration } from '@/utils/format';
import { jobLabel, jobProblem } from '@/utils/jobs';
import { navigate } from '@/utils/urlState';
import { placeOf, secondsTaken } from './jobRows';

interface JobRowProps {
  job: Job;
  isOpen: boolean;
  onToggle: () => void;
}

/** One ended job; opened, it says what came of it. */
export function JobRow({ job, isOpen, onToggle }: JobRowProps) {
  return (
    <li>
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={onToggle}
        className="grid min-h-14 w-full grid-cols-[1.25rem_1fr_auto] items-center gap-3 px-4 py-2 text-left text-sm transition-colors hover:bg-slate-800/40 sm:grid-cols-[1.25rem_1fr_11rem_7rem_8rem]"
      >
        <ChevronRight
          aria-hidden
          className={classNames(
            'size-4 text-slate-400 transition-transform',
            isOpen && 'rotate-90',
          )}
        />
        <span className="truncate text-slate-100">{jobLabel(job.kind)}</span>
        <span className="hidden text-slate-400 tabular-nums sm:block">
          {formatDateTime(job.finished_at ?? job.updated_at)}
        </span>
        <span className="hidden text-right text-slate-400 tabular-nums sm:block">
          {formatDuration(secondsTaken(job))}
        </span>
        <span className="justify-self-end">
          <StatusBadge status={job.state} />
        </span>
      </button>
      {isOpen && <JobDetails job={job} />}
    </li>
  );
}

function JobDetails({ job }: { job: Job }) {
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
    <div className="space-y-4 px-12 pb-5 text-sm">
      {problem && <ErrorBox problem={problem} />}
      <dl className="grid grid-cols-[8rem_1fr] gap-y-1">
        {facts.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-slate-400">{name}</dt>
            <dd className="min-w-0 font-mono break-words text-slate-200">{value}</dd>
          </div>
        ))}
      </dl>
      {place && (
        <Button size="sm" icon={ArrowRight} onClick={() => navigate(place)}>
          Show what it worked on
        </Button>
      )}
    </div>
  );
}
