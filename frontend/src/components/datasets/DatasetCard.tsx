import { Database, Info } from 'lucide-react';
import { ResourceCard } from '@/components/common/ResourceCard';
import { useResourceActions } from '@/hooks/useResourceActions';
import { useDatasetStore } from '@/stores/datasetStore';
import type { Dataset } from '@/types/dataset.types';
import { formatBytes, formatInteger } from '@/utils/format';
import { isLiveJob, jobProblem } from '@/utils/jobs';

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

/** One dataset; while it is tokenised, that job is shown. */
export function DatasetCard({ dataset, onOpen }: DatasetCardProps) {
  const act = useResourceActions(dataset.id, useDatasetStore.getState().remove);
  const isTokenized = dataset.tokenizations.some((item) => item.status === 'ready');
  const tokenizing = dataset.tokenizations.find((item) => isLiveJob(item.job))?.job;
  const failure =
    jobProblem(dataset.status === 'error' ? dataset.job : null) ??
    (dataset.error_message ? { message: dataset.error_message } : null);

  return (
    <ResourceCard
      icon={Database}
      tone="blue"
      name={dataset.name}
      repoId={dataset.repo_id}
      facts={facts(dataset)}
      status={dataset.status}
      job={isLiveJob(dataset.job) ? dataset.job : tokenizing}
      problem={act.problem ?? failure}
      onOpen={onOpen}
      onRemove={act.onRemove}
      onCancel={act.onCancel}
      isRemoving={act.isRemoving}
      badge={
        isTokenized && (
          <span className="mt-2 inline-flex items-center gap-1 rounded-md bg-emerald-500/15 px-2 py-0.5 text-xs text-emerald-400">
            <Info className="size-3" aria-hidden />
            Tokenized
          </span>
        )
      }
    />
  );
}
