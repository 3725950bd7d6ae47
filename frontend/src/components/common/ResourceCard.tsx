import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Problem } from '@/types/api.types';
import type { JobSummary } from '@/types/job.types';
import { classNames } from '@/utils/classNames';
import { jobLabel } from '@/utils/jobs';
import { ConfirmButton } from './ConfirmButton';
import { ErrorBox } from './ErrorBox';
import { JobProgress } from './JobProgress';
import { StatusBadge } from './StatusBadge';
import { type IconStatus, StatusIcon } from './StatusIcon';

const ICON_COLOURS = { blue: 'text-blue-400', purple: 'text-purple-400' } as const;

interface ResourceCardProps {
  icon: LucideIcon;
  tone: keyof typeof ICON_COLOURS;
  name: string;
  repoId: string | null;
  facts: string;
  status: IconStatus;
  /** The job to show while it lives. */
  job: JobSummary | null | undefined;
  /** What went wrong with it or with the last click. */
  problem: Problem | null;
  isRemoving: boolean;
  onOpen: () => void;
  onRemove: () => void;
  onCancel: (jobId: string) => void;
  badge?: ReactNode;
  actions?: ReactNode;
}

/** One dataset or model: what it is, how far it is, and the way into it once it is ready. */
export function ResourceCard(props: ResourceCardProps) {
  const { icon: Icon, name, repoId, status, job, problem } = props;
  const isReady = status === 'ready';

  return (
    <article
      aria-label={name}
      className={classNames(
        'relative rounded-lg border border-slate-800 bg-slate-900/50 p-6 transition-colors',
        isReady && 'hover:border-slate-700 hover:bg-slate-900',
      )}
    >
      <div className="flex flex-wrap items-center gap-4">
        <Icon className={classNames('size-8 shrink-0', ICON_COLOURS[props.tone])} aria-hidden />
        <div className="min-w-0 flex-1">
          <h4 className="truncate font-semibold">
            {isReady ? (
              <button type="button" onClick={props.onOpen} className="after:absolute after:inset-0">
                {name}
              </button>
            ) : (
              name
            )}
          </h4>
          {repoId && <p className="truncate font-mono text-xs text-slate-400">{repoId}</p>}
          <p className="mt-1 text-sm text-slate-400">{props.facts}</p>
          {props.badge}
        </div>
        <div className="relative z-10 flex shrink-0 items-center gap-2">
          {props.actions}
          <StatusIcon status={status} />
          <StatusBadge status={status} />
          <ConfirmButton
            label={`Delete ${name}`}
            disabled={props.isRemoving}
            onConfirm={props.onRemove}
          />
        </div>
      </div>
      {job && (
        <div className="relative z-10 mt-4">
          <JobProgress
            label={jobLabel(job.kind)}
            job={job}
            tone={props.tone}
            onCancel={() => props.onCancel(job.id)}
          />
        </div>
      )}
      {problem && (
        <div className="relative z-10 mt-4">
          <ErrorBox problem={problem} />
        </div>
      )}
    </article>
  );
}
