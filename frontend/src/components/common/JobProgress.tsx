import { X } from 'lucide-react';
import type { JobSummary } from '@/types/job.types';
import { formatDuration } from '@/utils/format';
import { Button } from './Button';
import { ProgressBar, type ProgressTone } from './ProgressBar';

interface JobProgressProps {
  /** What runs, such as "Download progress". */
  label: string;
  job: Pick<JobSummary, 'state' | 'progress' | 'message' | 'eta_seconds' | 'requested'>;
  tone?: ProgressTone;
  /** Leave out where the job cannot be cancelled. */
  onCancel?: () => void;
}

function remaining(eta: number | null): string | null {
  return eta === null ? null : `${formatDuration(eta)} left`;
}

/** Progress of a running job: percent, what it does now, time left, cancel. */
export function JobProgress({ label, job, tone, onCancel }: JobProgressProps) {
  const isQueued = job.state === 'queued';
  const note = job.message ?? (isQueued ? 'Waiting for a free worker' : null);
  const isCancelling = job.requested === 'cancel';
  return (
    <div className="space-y-2">
      <div className="flex items-center justify-between gap-4 text-sm">
        <span className="min-w-0 truncate text-slate-300" title={label}>
          {isCancelling ? 'Cancelling…' : label}
        </span>
        <span className="flex shrink-0 items-center gap-3 tabular-nums">
          <span className="text-slate-400">{remaining(job.eta_seconds)}</span>
          {!isQueued && <span className="text-slate-200">{Math.floor(job.progress)} %</span>}
        </span>
      </div>
      <ProgressBar label={label} value={isQueued ? 0 : job.progress} tone={tone} />
      <div className="flex min-h-8 items-center justify-between gap-4">
        <p className="min-w-0 truncate text-xs text-slate-400" title={note ?? undefined}>
          {note}
        </p>
        {onCancel && (
          <Button
            size="sm"
            variant="ghost"
            icon={X}
            disabled={isCancelling}
            onClick={(event) => {
              event.stopPropagation();
              onCancel();
            }}
          >
            Cancel
          </Button>
        )}
      </div>
    </div>
  );
}
