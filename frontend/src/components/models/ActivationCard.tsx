import { Layers, Play } from 'lucide-react';
import { Button } from '@/components/common/Button';
import { ConfirmButton } from '@/components/common/ConfirmButton';
import { ErrorBox } from '@/components/common/ErrorBox';
import { JobProgress } from '@/components/common/JobProgress';
import { StatusBadge } from '@/components/common/StatusBadge';
import { StatusIcon } from '@/components/common/StatusIcon';
import { useAction } from '@/hooks/useAction';
import { useActivationStore } from '@/stores/activationStore';
import { useJobStore } from '@/stores/jobStore';
import type { Activation } from '@/types/model.types';
import { formatBytes, formatCompact } from '@/utils/format';
import { hookName } from '@/utils/hookNames';
import { isLiveJob, jobLabel, jobProblem } from '@/utils/jobs';
import { navigate } from '@/utils/urlState';

function facts(activation: Activation): string {
  const layers = activation.layers.map((layer) => `L${layer}`).join(', ');
  const parts = [layers, activation.hook_types.map(hookName).join(', ')];
  if (activation.n_tokens !== null) parts.push(`${formatCompact(activation.n_tokens)} tokens`);
  if (activation.size_bytes !== null) parts.push(formatBytes(activation.size_bytes));
  return parts.join(' · ');
}

/** One activation store: where it comes from, how far it is, and the way to train on it. */
export function ActivationCard({ activation }: { activation: Activation }) {
  const remove = useAction(useActivationStore.getState().remove);
  const cancel = useAction(useJobStore.getState().cancel);
  const title = `${activation.model_name} on ${activation.dataset_name}`;
  const job = isLiveJob(activation.job) ? activation.job : null;
  const failure =
    activation.status === 'error'
      ? (jobProblem(activation.job) ?? {
          message: activation.error_message ?? 'The extraction failed.',
        })
      : null;
  const problem = remove.error ?? cancel.error ?? failure;

  return (
    <article aria-label={title} className="rounded-lg border border-slate-800 bg-slate-900/50 p-6">
      <div className="flex flex-wrap items-center gap-4">
        <Layers className="size-8 shrink-0 text-emerald-400" aria-hidden />
        <div className="min-w-0 flex-1">
          <h4 className="truncate font-semibold">{title}</h4>
          <p className="mt-1 truncate text-sm text-slate-400">{facts(activation)}</p>
        </div>
        <div className="flex shrink-0 items-center gap-2">
          {activation.status === 'ready' && (
            <Button
              icon={Play}
              onClick={() => navigate({ tab: 'training', activation: activation.id })}
            >
              Train on this
            </Button>
          )}
          <StatusIcon status={activation.status} />
          <StatusBadge status={activation.status} />
          <ConfirmButton
            label={`Delete activations of ${title}`}
            disabled={remove.isBusy}
            onConfirm={() => void remove.run(activation.id)}
          />
        </div>
      </div>
      {job && (
        <div className="mt-4">
          <JobProgress
            label={jobLabel(job.kind)}
            job={job}
            onCancel={() => void cancel.run(job.id)}
          />
        </div>
      )}
      {problem && (
        <div className="mt-4">
          <ErrorBox problem={problem} />
        </div>
      )}
    </article>
  );
}
