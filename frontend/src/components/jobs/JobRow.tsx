import { ChevronRight } from 'lucide-react';
import { StatusBadge } from '@/components/common/StatusBadge';
import type { Job } from '@/types/job.types';
import { classNames } from '@/utils/classNames';
import { formatDateTime, formatDuration } from '@/utils/format';
import { jobLabel } from '@/utils/jobs';
import { JobDetails } from './JobDetails';
import { secondsTaken } from './jobRows';

interface JobRowProps {
  job: Job;
  /** What it worked on; null where that is gone or not known. */
  subject: string | null;
  isOpen: boolean;
  onToggle: () => void;
}

/** One ended job; opened, it says what came of it. */
export function JobRow({ job, subject, isOpen, onToggle }: JobRowProps) {
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
        <span className="truncate text-slate-100" title={subject ?? undefined}>
          {jobLabel(job.kind)}
          {subject && (
            <>
              {' · '}
              <span className="text-slate-400">{subject}</span>
            </>
          )}
        </span>
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
