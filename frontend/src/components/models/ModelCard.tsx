import { Cpu, Zap } from 'lucide-react';
import { Button } from '@/components/common/Button';
import { ResourceCard } from '@/components/common/ResourceCard';
import { useResourceActions } from '@/hooks/useResourceActions';
import { useModelStore } from '@/stores/modelStore';
import type { LanguageModel } from '@/types/model.types';
import { formatBytes, formatCompact } from '@/utils/format';
import { isLiveJob, jobProblem } from '@/utils/jobs';

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
  const act = useResourceActions(model.id, useModelStore.getState().remove);
  const isReady = model.status === 'ready';
  const failure =
    model.status === 'error'
      ? (jobProblem(model.job) ?? { message: model.error_message ?? 'The import failed.' })
      : null;

  return (
    <ResourceCard
      icon={Cpu}
      tone="purple"
      name={model.name}
      repoId={model.repo_id}
      facts={facts(model)}
      status={model.status}
      job={isLiveJob(model.job) ? model.job : null}
      problem={act.problem ?? failure}
      onOpen={onOpen}
      onRemove={act.onRemove}
      onCancel={act.onCancel}
      isRemoving={act.isRemoving}
      actions={
        isReady && (
          <Button variant="purple" icon={Zap} onClick={onExtract}>
            Extract Activations
          </Button>
        )
      }
    />
  );
}
