import { Activity } from 'lucide-react';
import { useMemo } from 'react';
import { Button } from '@/components/common/Button';
import { Card, PageTitle } from '@/components/common/Card';
import { ErrorBox } from '@/components/common/ErrorBox';
import { Segmented } from '@/components/common/Segmented';
import { Select } from '@/components/common/Select';
import { useAction } from '@/hooks/useAction';
import { useArchitecture, useModels } from '@/hooks/useModels';
import {
  type SelectedFeature,
  useConditionFeature,
  useSelectedFeatures,
  useSteeringAddress,
} from '@/hooks/useSteering';
import { useOpenedRun } from '@/hooks/useSteeringRuns';
import { useSweeps } from '@/hooks/useSweeps';
import { type TrainingSource, useTrainingSource } from '@/hooks/useTrainingSource';
import { useUrlChoice } from '@/hooks/useUrlState';
import { runService } from '@/services/steeringService';
import { MAX_STEERED, type SteeringConfig, useSteeringStore } from '@/stores/steeringStore';
import { readConfig } from '@/stores/steeringUrl';
import { formatInteger } from '@/utils/format';
import { trainingLabel } from '@/utils/trainings';
import { CompareView, GenerateButton } from './CompareView';
import { FeatureSelector } from './FeatureSelector';
import { GenerationConfig } from './GenerationConfig';
import { HistoryView } from './HistoryView';
import { configOfRun } from './runConfig';
import { SelectedFeatures } from './SelectedFeatures';
import { SteeringPresets } from './SteeringPresets';
import { blockingReason, chatError, toRequest } from './steeringRequest';
import { SweepForm } from './SweepForm';
import { countTexts, sweepReason, toSweep } from './sweepPlan';
import { SweepView, type UsedStrength } from './SweepView';

const VIEWS = [
  { value: 'compare', label: 'Compare' },
  { value: 'sweep', label: 'Sweep' },
  { value: 'history', label: 'History' },
] as const;
type ViewName = (typeof VIEWS)[number]['value'];

/** Choose features, generate with and without them, compare; sweep strengths; look back. */
export function SteeringPanel() {
  useSteeringAddress();
  const [view, setView] = useUrlChoice<ViewName>('steer_view', ['compare', 'sweep', 'history']);
  const source = useTrainingSource();
  const { items: models, problem: modelProblem, fetch: fetchModels } = useModels();
  const ready = useMemo(() => (models ?? []).filter((m) => m.status === 'ready'), [models]);
  const selected = useSelectedFeatures();
  const { config: chosen, update, addFeature, generate, openRun, setConfig } = useSteeringStore();
  const opened = useOpenedRun((run) => {
    openRun(run.result, readConfig(window.location.search) ?? configOfRun(run, chosen));
  });
  const sweeps = useSweeps(view === 'sweep');
  const open = useAction(async (id: string) => {
    const run = await runService.get(id);
    openRun(run.result, configOfRun(run, chosen));
    setView('compare');
  });

  const ownModel = source.selected?.model_id ?? null;
  const config = { ...chosen, modelId: chosen.modelId ?? ownModel };
  const ownLayer = selected[0]?.row?.layer ?? source.selected?.layer ?? null;
  const ownPlace = source.selected?.target_hook_type ?? null;
  const nLayers = ready.find((model) => model.id === config.modelId)?.n_layers ?? null;
  const architecture = useArchitecture(config.modelId);
  const canChat = architecture.isLoading ? null : (architecture.data?.has_chat_template ?? null);
  const conditionError = useConditionPlace(config, selected);
  const obstacle = chatError(config, canChat) ?? conditionError ?? null;
  const reason = blockingReason(config) ?? obstacle;
  const submit = () => {
    if (!reason) void generate(toRequest(config));
  };
  const take = ({ feature, strength, unit }: UsedStrength) => {
    setConfig(withStrength(chosen, feature.id, strength, unit));
    setView('compare');
  };
  const problem = source.problem ?? modelProblem;
  const runProblem = opened.error ?? open.error;

  return (
    <>
      <PageTitle
        title="Steering"
        subtitle="Add a feature's direction to the model's hidden states and see what changes"
        actions={
          <Segmented label="View of steering" options={VIEWS} value={view} onChange={setView} />
        }
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
        {runProblem && <ErrorBox problem={runProblem} />}
        {view !== 'history' && (
          <>
            <SteeringPresets
              trainingId={source.selected?.id ?? null}
              ownLayer={source.selected?.layer ?? null}
            />
            <div className="grid items-start gap-6 lg:grid-cols-2">
              <Card label="Select features to steer" className="min-w-0 space-y-4">
                <h3 className="text-lg font-semibold">Select Features to Steer</h3>
                <Select
                  label="Training job (source of features)"
                  value={source.selected?.id ?? ''}
                  placeholder={source.trainings.length === 0 ? noTraining(source) : undefined}
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
                <SelectedFeatures
                  features={selected}
                  nLayers={nLayers}
                  places={placesFor(ownPlace, architecture.data?.hook_types ?? [])}
                />
              </Card>
              <Card
                label={view === 'sweep' ? 'Sweep configuration' : 'Generation configuration'}
                className="min-w-0 space-y-4"
              >
                {view === 'sweep' && (
                  <>
                    <h3 className="text-lg font-semibold">Sweep Configuration</h3>
                    <SweepForm />
                  </>
                )}
                <h3 className={view === 'sweep' ? 'font-medium' : 'text-lg font-semibold'}>
                  Generation Configuration
                </h3>
                <GenerationConfig
                  config={config}
                  models={ready}
                  canChat={canChat}
                  ownLayer={ownLayer}
                  ownPlace={ownPlace}
                  trainingId={source.selected?.id ?? null}
                  conditionError={conditionError}
                  showsMode={view === 'compare'}
                  showsPrompt={view === 'compare' || config.sweep.prompts.trim() === ''}
                  onChange={update}
                  onSubmit={submit}
                />
                {view === 'sweep' ? (
                  <SweepButton {...{ config, obstacle, sweeps }} />
                ) : (
                  <GenerateButton reason={reason} onSubmit={submit} />
                )}
              </Card>
            </div>
          </>
        )}
        {view === 'compare' && <CompareView />}
        {view === 'sweep' && <SweepView sweeps={sweeps} onUse={take} />}
        {view === 'history' && <HistoryView onOpen={(id) => void open.run(id)} />}
      </div>
    </>
  );
}

/** Why a condition comes too late for the first of the edits, as far as their layers are known. */
function useConditionPlace(
  { layer }: SteeringConfig,
  selected: readonly SelectedFeature[],
): string | undefined {
  const read = useConditionFeature()?.layer;
  const layers = selected.flatMap((entry) => entry.layer ?? layer ?? entry.row?.layer ?? []);
  const first = Math.min(...layers);
  if (read == null || read <= first) return undefined;
  return `The condition is read at layer ${read}, after the edit at layer ${first}: choose a feature of layer ${first} or earlier.`;
}

/** Places that a direction can be tried at; the heads' outputs are no part of the stream. */
function placesFor(own: string | null, places: readonly string[]): string[] {
  return places.filter((place) => (place === 'z') === (own === 'z'));
}

interface SweepButtonProps {
  config: SteeringConfig;
  /** What the model or the condition's place rule out. */
  obstacle: string | null;
  sweeps: ReturnType<typeof useSweeps>;
}

function SweepButton({ config, obstacle, sweeps }: SweepButtonProps) {
  const reason = sweepReason(config) ?? obstacle;
  const { start } = sweeps;
  return (
    <>
      <Button
        variant="primary"
        size="lg"
        block
        icon={Activity}
        busy={start.isBusy}
        disabled={reason !== null || start.isBusy}
        aria-describedby="sweep-reason"
        onClick={() => void start.run(toSweep(config))}
      >
        Sweep Strengths
      </Button>
      <p id="sweep-reason" className="min-h-5 text-center text-sm text-slate-400">
        {reason ??
          `Generates ${formatInteger(countTexts(config))} texts and those of the controls.`}
      </p>
      {start.error && <ErrorBox problem={start.error} />}
    </>
  );
}

/** The configuration with one feature at a strength that a sweep found. */
function withStrength(
  config: SteeringConfig,
  id: number,
  coefficient: number,
  unit: UsedStrength['unit'],
): SteeringConfig {
  const changed = { coefficient, unit };
  const isThere = config.steered.some((entry) => entry.id === id);
  const steered = isThere
    ? config.steered.map((entry) => (entry.id === id ? { ...entry, ...changed } : entry))
    : [...config.steered, { id, ...changed }].slice(-MAX_STEERED);
  return { ...config, steered };
}

function noTraining({ isLoading, problem }: Pick<TrainingSource, 'isLoading' | 'problem'>): string {
  if (isLoading) return 'Reading the trainings…';
  return problem ? 'The trainings could not be read' : 'No training with features yet';
}
