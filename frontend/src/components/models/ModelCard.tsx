import { Cpu, Zap } from 'lucide-react';
import { Button } from '@/components/common/Button';
import { ConfirmButton } from '@/components/common/ConfirmButton';
import { ErrorBox } from '@/components/common/ErrorBox';
import { JobProgress } from '@/components/common/JobProgress';
import { StatusBadge } from '@/components/common/StatusBadge';
import { StatusIcon } from '@/components/common/StatusIcon';
import { useAction } from '@/hooks/useAction';
import { useJobStore } from '@/stores/jobStore';
import { useModelStore } from '@/stores/modelStore';
import type { LanguageModel } from '@/types/model.types';
import { formatBytes, formatCompact } from '@/utils/format';
import { isLiveJob, jobLabel, jobProblem } from '@/utils/jobs';

interface ModelCardProps {
  model: LanguageModel;
  onOpen: () => void;
  onExtract: () => void;
}

function facts(model: LanguageModel): string {
  const parts: string[] = [];
  if (model.params_count !== null) parts.push(`${formatCompact(model.params_count)} params`);
  if (model.quantization) parts.push(`${model.quantization} quantization`);
  if (model.memory_req_bytes !== null) parts.push(`${formatBytes(model.memory_req_bytes)} memory`);
  return parts.join(' · ');
}

/** One model: its size, its status, the way into it and to its activations. */
export function ModelCard({ model, onOpen, onExtract }: ModelCardProps) {
  const remove = useAction(useModelStore.getState().remove);
  const cancel = useAction(useJobStore.getState().cancel);
  const isReady = model.status === 'ready';
  const job = isLiveJob(model.job) ? model.job : null;
  const failure =
    model.status === 'error'
      ? (jobProblem(model.job) ?? { message: model.error_message ?? 'The import failed.' })
      : null;
  const problem = remove.error ?? cancel.error ?? failure;

  return (
    <article
      aria-label={model.name}
      className="relative rounded-lg border border-slate-800 bg-slate-900/50 p-6 transition-colors hover:border-slate-700"
    >
      <div className="flex flex-wrap items-center gap-4">
        <Cpu className="size-8 shrink-0 text-purple-400" aria-hidden />
        <div className="min-w-0 flex-1">
          <h4 className="truncate font-semibold">
            {isReady ? (
              <button type="button" onClick={onOpen} className="after:absolute after:inset-0">
                {model.name}
              </button>
            ) : (
              model.name
            )}
          </h4>
          {model.repo_id && (
            <p className="truncate font-mono text-xs text-slate-400">{model.repo_id}</p>
          )}
          <p className="mt-1 text-sm text-slate-400">{facts(model)}</p>
        </div>
        <div className="relative z-10 flex shrink-0 items-center gap-2">
          {isReady && (
            <Button variant="purple" icon={Zap} onClick={onExtract}>
              Extract Activations
            </Button>
          )}
          <StatusIcon status={model.status} />
          <StatusBadge status={model.status} />
          <ConfirmButton
            label={`Delete ${model.name}`}
            disabled={remove.isBusy}
            onConfirm={() => void remove.run(model.id)}
          />
        </div>
      </div>
      {job && (
        <div className="relative z-10 mt-4">
          <JobProgress
            label={jobLabel(job.kind)}
            job={job}
            tone="purple"
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
