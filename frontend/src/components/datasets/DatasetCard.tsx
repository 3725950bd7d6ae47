import { Database } from 'lucide-react';
import { ConfirmButton } from '@/components/common/ConfirmButton';
import { ErrorBox } from '@/components/common/ErrorBox';
import { JobProgress } from '@/components/common/JobProgress';
import { StatusBadge } from '@/components/common/StatusBadge';
import { StatusIcon } from '@/components/common/StatusIcon';
import { useAction } from '@/hooks/useAction';
import { useDatasetStore } from '@/stores/datasetStore';
import { useJobStore } from '@/stores/jobStore';
import type { Dataset } from '@/types/dataset.types';
import { classNames } from '@/utils/classNames';
import { formatBytes, formatInteger } from '@/utils/format';
import { isLiveJob, jobLabel, jobProblem } from '@/utils/jobs';

interface DatasetCardProps {
  dataset: Dataset;
  onOpen: () => void;
}

function facts(dataset: Dataset): string {
  const parts = [`Source: ${dataset.source}`];
  if (dataset.size_bytes !== null) parts.push(`Size: ${formatBytes(dataset.size_bytes)}`);
  if (dataset.n_documents !== null) parts.push(`${formatInteger(dataset.n_documents)} documents`);
  return parts.join(' · ');
}

/** One dataset: what it is, how far it is, and the way into it once it is ready. */
export function DatasetCard({ dataset, onOpen }: DatasetCardProps) {
  const remove = useAction(useDatasetStore.getState().remove);
  const cancel = useAction(useJobStore.getState().cancel);
  const isReady = dataset.status === 'ready';
  const isTokenized = dataset.tokenizations.some((item) => item.status === 'ready');
  const tokenizing = dataset.tokenizations.find((item) => isLiveJob(item.job))?.job;
  const job = isLiveJob(dataset.job) ? dataset.job : tokenizing;
  const failure =
    jobProblem(dataset.status === 'error' ? dataset.job : null) ??
    (dataset.error_message ? { message: dataset.error_message } : null);
  const problem = remove.error ?? cancel.error ?? failure;

  return (
    <article
      aria-label={dataset.name}
      className={classNames(
        'relative rounded-lg border border-slate-800 bg-slate-900/50 p-6 transition-colors',
        isReady && 'hover:border-slate-700 hover:bg-slate-900',
      )}
    >
      <div className="flex items-start gap-4">
        <Database className="size-8 shrink-0 text-blue-400" aria-hidden />
        <div className="min-w-0 flex-1">
          <h4 className="truncate font-semibold">
            {isReady ? (
              <button type="button" onClick={onOpen} className="after:absolute after:inset-0">
                {dataset.name}
              </button>
            ) : (
              dataset.name
            )}
          </h4>
          {dataset.repo_id && (
            <p className="truncate font-mono text-xs text-slate-400">{dataset.repo_id}</p>
          )}
          <p className="mt-1 text-sm text-slate-400">{facts(dataset)}</p>
          {isTokenized && (
            <span className="mt-2 inline-block rounded-md bg-emerald-500/15 px-2 py-0.5 text-xs text-emerald-400">
              Tokenized
            </span>
          )}
        </div>
        <div className="relative z-10 flex shrink-0 items-center gap-2">
          <StatusIcon status={dataset.status} />
          <StatusBadge status={dataset.status} />
          <ConfirmButton
            label={`Delete ${dataset.name}`}
            disabled={remove.isBusy}
            onConfirm={() => void remove.run(dataset.id)}
          />
        </div>
      </div>
      {job && (
        <div className="relative z-10 mt-4">
          <JobProgress
            label={jobLabel(job.kind)}
            job={job}
            tone="blue"
            onCancel={() => void cancel.run(job.id)}
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
