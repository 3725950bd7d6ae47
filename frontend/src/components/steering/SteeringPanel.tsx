import { Square, TriangleAlert, Zap } from 'lucide-react';
import { useMemo } from 'react';
import { Button } from '@/components/common/Button';
import { Card, PageTitle } from '@/components/common/Card';
import { EmptyState } from '@/components/common/EmptyState';
import { ErrorBox } from '@/components/common/ErrorBox';
import { Select } from '@/components/common/Select';
import { useModels } from '@/hooks/useModels';
import { useSelectedFeatures, useSteeringAddress } from '@/hooks/useSteering';
import { useTrainingSource } from '@/hooks/useTrainingSource';
import { MAX_STEERED, useSteeringStore } from '@/stores/steeringStore';
import { trainingLabel } from '@/utils/trainings';
import { ComparativeGeneration } from './ComparativeGeneration';
import { FeatureSelector } from './FeatureSelector';
import { GenerationConfig } from './GenerationConfig';
import { SelectedFeatures } from './SelectedFeatures';
import { SteeringMetrics } from './SteeringMetrics';
import { blockingReason, toRequest } from './steeringRequest';

/** Choose features, generate with and without them, compare. */
export function SteeringPanel() {
  useSteeringAddress();
  const source = useTrainingSource();
  const { items: models, problem: modelProblem, fetch: fetchModels } = useModels();
  const ready = useMemo(() => (models ?? []).filter((m) => m.status === 'ready'), [models]);
  const selected = useSelectedFeatures();
  const { config: chosen, run, update, addFeature, generate, cancel } = useSteeringStore();

  const ownModel = source.selected?.model_id ?? null;
  const config = { ...chosen, modelId: chosen.modelId ?? ownModel };
  const reason = blockingReason(config);
  const submit = () => {
    if (!reason) void generate(toRequest(config));
  };
  const problem = source.problem ?? modelProblem;

  return (
    <>
      <PageTitle
        title="Steering"
        subtitle="Add a feature's direction to the model's hidden states and see what changes"
      />
      <div className="space-y-6">
        {problem && (
          <ErrorBox
            problem={problem}
            action={{
              label: 'Try again',
              onClick: () => {
                source.refetch();
                void fetchModels();
              },
            }}
          />
        )}
        <div className="grid items-start gap-6 lg:grid-cols-2">
          <Card label="Select features to steer" className="min-w-0 space-y-4">
            <h3 className="text-lg font-semibold">Select Features to Steer</h3>
            <Select
              label="Training job (source of features)"
              value={source.selected?.id ?? ''}
              placeholder={
                source.trainings.length === 0 ? 'No training with features yet' : undefined
              }
              disabled={source.trainings.length === 0}
              onChange={source.select}
              options={source.trainings.map((t) => ({ value: t.id, label: trainingLabel(t) }))}
            />
            <FeatureSelector
              trainingId={source.selected?.id ?? null}
              selectedIds={selected.map(({ id }) => id)}
              isFull={selected.length >= MAX_STEERED}
              onAdd={addFeature}
            />
            <SelectedFeatures features={selected} />
          </Card>
          <Card label="Generation configuration" className="min-w-0 space-y-4">
            <h3 className="text-lg font-semibold">Generation Configuration</h3>
            <GenerationConfig
              config={config}
              models={ready}
              ownLayer={selected[0]?.row?.layer ?? source.selected?.layer ?? null}
              onChange={update}
              onSubmit={submit}
            />
            {run.state === 'running' ? (
              <Button
                variant="danger"
                size="lg"
                block
                icon={Square}
                busy={run.isStopping}
                onClick={cancel}
              >
                {run.isStopping ? 'Stopping…' : 'Stop'}
              </Button>
            ) : (
              <Button
                variant="primary"
                size="lg"
                block
                icon={Zap}
                disabled={reason !== null}
                aria-describedby="steering-reason"
                onClick={submit}
              >
                Generate Comparison
              </Button>
            )}
            <p id="steering-reason" className="min-h-5 text-center text-sm text-slate-400">
              {reason ?? 'Ctrl+Enter in the prompt generates too.'}
            </p>
            {run.problem && (
              <ErrorBox problem={run.problem} action={{ label: 'Try again', onClick: submit }} />
            )}
          </Card>
        </div>
        {run.state === 'idle' || run.state === 'failed' ? (
          run.state === 'idle' && (
            <EmptyState
              icon={Zap}
              title="Nothing generated yet"
              hint="Both texts use the same seed, so what differs comes from the features."
            />
          )
        ) : (
          <ComparativeGeneration run={run} />
        )}
        {run.result?.warnings.map((warning) => (
          <Warning key={warning}>{warning}</Warning>
        ))}
        {run.result && <SteeringMetrics result={run.result} />}
        {run.result?.notes?.map((note) => (
          <p key={note} className="text-xs text-slate-400">
            {note}
          </p>
        ))}
      </div>
    </>
  );
}

function Warning({ children }: { children: string }) {
  return (
    <p className="flex gap-2 rounded-lg border border-yellow-500/30 bg-yellow-500/10 p-3 text-sm text-yellow-200">
      <TriangleAlert className="mt-0.5 size-4 shrink-0" aria-hidden />
      {children}
    </p>
  );
}
