import { Cpu } from 'lucide-react';
import { PageTitle } from '@/components/common/Card';
import { EmptyState } from '@/components/common/EmptyState';
import { ErrorBox } from '@/components/common/ErrorBox';
import { SkeletonList } from '@/components/common/Skeleton';
import { useActivations, useModels } from '@/hooks/useModels';
import { useUrlState } from '@/hooks/useUrlState';
import { AddModel } from './AddModel';
import { ActivationExtractionConfig } from './ActivationExtractionConfig';
import { ActivationList } from './ActivationList';
import { ModelArchitectureViewer } from './ModelArchitectureViewer';
import { ModelCard } from './ModelCard';

/** The Models tab: add a model, look inside, extract its activations. */
export function ModelsPanel() {
  const { items, problem, fetch } = useModels();
  const activations = useActivations();
  const [openId, setOpenId] = useUrlState('model');
  const [extractId, setExtractId] = useUrlState('extract');
  const ready = items?.filter((item) => item.status === 'ready');
  const open = ready?.find((item) => item.id === openId);
  const extract = ready?.find((item) => item.id === extractId);

  return (
    <>
      <PageTitle
        title="Model Management"
        subtitle="Language models to look into, from the hub or from this machine."
      />
      <AddModel />
      <section aria-labelledby="models-heading" className="mt-8">
        <h3 id="models-heading" className="mb-4 text-lg font-semibold">
          Your Models{items && ` (${items.length})`}
        </h3>
        {problem && (
          <ErrorBox
            problem={problem}
            action={{ label: 'Try again', onClick: () => void fetch() }}
          />
        )}
        {!items && !problem && (
          <div className="grid gap-4">
            <SkeletonList label="Loading models" count={2} className="h-28" />
          </div>
        )}
        {items?.length === 0 && (
          <EmptyState
            icon={Cpu}
            title="No models yet"
            hint="A small one such as SmolLM2-135M is a good start, also on a laptop."
          />
        )}
        <div className="space-y-4">
          {items?.map((model) => (
            <ModelCard
              key={model.id}
              model={model}
              onOpen={() => setOpenId(model.id)}
              onExtract={() => setExtractId(model.id)}
            />
          ))}
        </div>
      </section>
      <ActivationList
        items={activations.items}
        problem={activations.problem}
        onRetry={() => void activations.fetch()}
      />
      {open && <ModelArchitectureViewer model={open} onClose={() => setOpenId(null)} />}
      {extract && <ActivationExtractionConfig model={extract} onClose={() => setExtractId(null)} />}
    </>
  );
}
