import { JobProgress } from '@/components/common/JobProgress';
import { ErrorBox } from '@/components/common/ErrorBox';
import { StatusBadge } from '@/components/common/StatusBadge';
import { useAction } from '@/hooks/useAction';
import { useJobStore } from '@/stores/jobStore';
import type { Dataset, Tokenization } from '@/types/dataset.types';
import type { LanguageModel } from '@/types/model.types';
import { formatDateTime, formatInteger } from '@/utils/format';
import { isLiveJob, jobProblem } from '@/utils/jobs';

interface TokenizationListProps {
  dataset: Dataset;
  models: readonly LanguageModel[];
}

/** What was tokenised before, and what is being tokenised. */
export function TokenizationList({ dataset, models }: TokenizationListProps) {
  if (dataset.tokenizations.length === 0) return null;
  const nameOf = (id: string) => models.find((model) => model.id === id)?.name ?? 'Deleted model';
  return (
    <section aria-labelledby="tokenizations-heading">
      <h3 id="tokenizations-heading" className="mb-3 text-lg font-semibold">
        Tokenizations
      </h3>
      <ul className="space-y-3">
        {dataset.tokenizations.map((item) => (
          <TokenizationRow key={item.id} item={item} modelName={nameOf(item.model_id)} />
        ))}
      </ul>
    </section>
  );
}

function TokenizationRow({ item, modelName }: { item: Tokenization; modelName: string }) {
  const cancel = useAction(useJobStore.getState().cancel);
  const { job } = item;
  const problem = cancel.error ?? (item.status === 'error' ? jobProblem(job) : null);
  return (
    <li className="rounded-lg bg-slate-800/30 p-4">
      <div className="flex items-center justify-between gap-4">
        <div className="min-w-0">
          <p className="truncate font-medium">{modelName}</p>
          <p className="text-sm text-slate-400">
            {formatInteger(item.n_tokens)} tokens · {formatInteger(item.n_documents)} documents ·{' '}
            {formatDateTime(item.created_at)}
          </p>
        </div>
        <StatusBadge status={item.status} />
      </div>
      {isLiveJob(job) && (
        <div className="mt-3">
          <JobProgress
            label="Processing Dataset…"
            job={job}
            tone="blue"
            onCancel={() => void cancel.run(job.id)}
          />
        </div>
      )}
      {problem && (
        <div className="mt-3">
          <ErrorBox problem={problem} />
        </div>
      )}
    </li>
  );
}
