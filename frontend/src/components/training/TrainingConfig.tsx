import { Play } from 'lucide-react';
import type { SubmitEvent } from 'react';
import { SubmitButton } from '@/components/common/SubmitButton';
import { Card } from '@/components/common/Card';
import { ErrorBox } from '@/components/common/ErrorBox';
import { EstimateBox } from '@/components/common/EstimateBox';
import { useAction } from '@/hooks/useAction';
import { useEstimate } from '@/hooks/useEstimate';
import type { fields } from '@/services/generated/fields';
import { trainingService } from '@/services/trainingService';
import { useTrainingStore } from '@/stores/trainingStore';
import type { Dataset } from '@/types/dataset.types';
import type { Activation, LanguageModel } from '@/types/model.types';
import type { GridVariant, TrainingCreate } from '@/types/training.types';
import { formatInteger } from '@/utils/format';
import { navigate } from '@/utils/urlState';
import { gridProblem, variantsOf } from './gridVariants';
import { fieldNames, keepsK, nests, parseSizes, sentValues } from './hyperparameterFields';
import { HyperparameterFields } from './HyperparameterFields';
import { SeveralAtOnce } from './SeveralAtOnce';
import { TrainingTemplates } from './TrainingTemplates';
import { TrainingSource } from './TrainingSource';
import { useTrainingDraft } from './useTrainingDraft';
import { useTrainingSource } from './useTrainingSource';

interface TrainingConfigProps {
  datasets: readonly Dataset[] | null;
  models: readonly LanguageModel[] | null;
  activations: readonly Activation[] | null;
}

/** The configuration form; starting jumps to the new training's card. */
export function TrainingConfig(lists: TrainingConfigProps) {
  const { form, encoderType, sizes: sizeText, grid: gridTexts, ...draft } = useTrainingDraft();
  const source = useTrainingSource(lists, encoderType, draft.source, (chosen) =>
    draft.set({ source: chosen }),
  );
  const choices = { encoderType, values: form.values };
  const sizes = nests(choices) ? parseSizes(sizeText) : [];
  const request: TrainingCreate = {
    dataset_id: source.datasetId,
    model_id: source.modelId,
    activation_id: source.store?.id ?? null,
    layer: Number(source.layer),
    hook_type: source.hookType,
    encoder_type: encoderType,
    hyperparameters: { ...sentValues(choices), matryoshka_sizes: sizes ?? [] },
  };
  const variants = variantsOf(keepsK(choices) ? gridTexts : { ...gridTexts, k: '' });
  const gridError = gridProblem(variants);
  const { run, isBusy, error } = useAction(async () => {
    const ids = await start(request, variants ?? []);
    await Promise.all(ids.map((id) => useTrainingStore.getState().refresh(id)));
    navigate({ tab: 'training', training: ids[0] ?? null });
  });

  const latents = countLatents(form.values, source.width ?? source.model?.d_model ?? null);
  const kError =
    keepsK(choices) && latents !== null && Number(form.values.k) > latents
      ? `At most the ${formatInteger(latents)} latents`
      : undefined;

  const sizesError = sizes === null ? 'Rising whole numbers, with commas between' : undefined;

  const isReady = !!source.store && !form.hasErrors && !(kError ?? sizesError ?? gridError);
  const preflight = useEstimate(
    isReady ? { request, variants: variants ?? [] } : null,
    ({ request, variants }, signal) =>
      variants.length
        ? trainingService.estimateGrid({ ...request, variants }, signal)
        : trainingService.estimate(request, signal),
  );
  const takeOver = (change: Record<string, unknown>) => {
    form.setValues((values) => ({ ...values, ...readChange(change.hyperparameters) }));
  };

  const handleSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    void run();
  };

  return (
    <Card label="Training Configuration">
      <form onSubmit={handleSubmit} className="space-y-6">
        <h3 className="text-lg font-semibold">Training Configuration</h3>
        <TrainingSource
          source={source}
          encoderType={encoderType}
          onEncoderType={(next) => draft.set({ encoderType: next })}
          errors={error?.fieldErrors ?? {}}
        />
        <HyperparameterFields
          form={form}
          choices={choices}
          sizes={sizeText}
          onSizes={(sizes) => draft.set({ sizes })}
          latents={latents}
          serverErrors={{
            ...hyperparameterErrors(error?.fieldErrors),
            ...(kError && { k: kError }),
            ...(sizesError && { matryoshka_sizes: sizesError }),
          }}
        />
        <SeveralAtOnce
          texts={gridTexts}
          onChange={(grid) => draft.set({ grid })}
          count={variants?.length ?? 0}
          showsK={keepsK(choices)}
          layers={source.store?.layers ?? []}
          error={gridError}
        />
        <EstimateBox {...preflight} onProposal={takeOver} />
        {error && <ErrorBox problem={error} />}
        <SubmitButton icon={Play} busy={isBusy} disabled={isBusy || !isReady}>
          {variants?.length ? `Start ${variants.length} Trainings` : 'Start Training'}
        </SubmitButton>
      </form>
      <div className="mt-6">
        <TrainingTemplates
          encoderType={encoderType}
          values={form.values}
          obstacle={form.hasErrors ? 'Correct the marked settings first.' : null}
          onLoad={(encoder, values) => {
            draft.set({ encoderType: encoder });
            form.load(values);
          }}
        />
      </div>
    </Card>
  );
}

/** Start one training, or several in one run; returns their ids. */
async function start(request: TrainingCreate, variants: GridVariant[]): Promise<string[]> {
  if (variants.length === 0) return [(await trainingService.create(request)).training_id];
  const grid = await trainingService.createGrid({ ...request, variants });
  return grid.trainings.map((training) => training.training_id);
}

function countLatents(values: Record<string, unknown>, width: number | null): number | null {
  if (typeof values.d_sae === 'number') return values.d_sae;
  if (width === null || typeof values.expansion_factor !== 'number') return null;
  return values.expansion_factor * width;
}

type HyperparameterName = keyof typeof fields.Hyperparameters;
type Change = Partial<Record<HyperparameterName, string | number | boolean | null>>;

/** The settings of a proposal that the form has. */
function readChange(change: unknown): Change {
  if (typeof change !== 'object' || change === null) return {};
  const known = Object.entries(change).filter(([name]) =>
    fieldNames.some((field) => field === name),
  );
  return Object.fromEntries(known);
}

/** The API names a nested field `hyperparameters.k`; the form knows it as `k`. */
function hyperparameterErrors(errors: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(errors).map(([field, message]) => [
      field.replace(/^hyperparameters\./, ''),
      message,
    ]),
  );
}
