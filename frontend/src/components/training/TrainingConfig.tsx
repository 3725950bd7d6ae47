import { Play } from 'lucide-react';
import { type SubmitEvent, useState } from 'react';
import { Button } from '@/components/common/Button';
import { Card } from '@/components/common/Card';
import { ErrorBox } from '@/components/common/ErrorBox';
import { EstimateBox } from '@/components/common/EstimateBox';
import { useAction } from '@/hooks/useAction';
import { useEstimate } from '@/hooks/useEstimate';
import { useSpecForm } from '@/hooks/useSpecForm';
import { fields } from '@/services/generated/fields';
import { trainingService } from '@/services/trainingService';
import { useTrainingStore } from '@/stores/trainingStore';
import type { Dataset } from '@/types/dataset.types';
import type { Activation, LanguageModel } from '@/types/model.types';
import type { EncoderType, TrainingCreate } from '@/types/training.types';
import { formatInteger } from '@/utils/format';
import { navigate } from '@/utils/urlState';
import { fieldNames, keepsK, nests, parseSizes, sentValues } from './hyperparameterFields';
import { HyperparameterFields } from './HyperparameterFields';
import { TrainingTemplates } from './TrainingTemplates';
import { TrainingSource } from './TrainingSource';
import { useTrainingSource } from './useTrainingSource';

interface TrainingConfigProps {
  datasets: readonly Dataset[] | null;
  models: readonly LanguageModel[] | null;
  activations: readonly Activation[] | null;
}

/** The configuration form; starting jumps to the new training's card. */
export function TrainingConfig(lists: TrainingConfigProps) {
  const [encoderType, setEncoderType] = useState<EncoderType>('sparse');
  const source = useTrainingSource(lists, encoderType);
  const form = useSpecForm(fields.Hyperparameters, fieldNames);
  const [sizeText, setSizeText] = useState('');
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
  const { run, isBusy, error } = useAction(async () => {
    const created = await trainingService.create(request);
    await useTrainingStore.getState().refresh(created.training_id);
    navigate({ tab: 'training', training: created.training_id });
  });

  const latents = countLatents(form.values, source.model?.d_model ?? null);
  const kError =
    keepsK(choices) && latents !== null && Number(form.values.k) > latents
      ? `At most the ${formatInteger(latents)} latents`
      : undefined;

  const sizesError = sizes === null ? 'Rising whole numbers, with commas between' : undefined;

  const isReady = !!source.store && !form.hasErrors && !(kError ?? sizesError);
  const preflight = useEstimate(isReady ? request : null, trainingService.estimate);
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
          onEncoderType={setEncoderType}
          errors={error?.fieldErrors ?? {}}
        />
        <HyperparameterFields
          form={form}
          choices={choices}
          sizes={sizeText}
          onSizes={setSizeText}
          latents={latents}
          serverErrors={{
            ...hyperparameterErrors(error?.fieldErrors),
            ...(kError && { k: kError }),
            ...(sizesError && { matryoshka_sizes: sizesError }),
          }}
        />
        <EstimateBox {...preflight} onProposal={takeOver} />
        {error && <ErrorBox problem={error} />}
        <Button
          type="submit"
          variant="primary"
          size="lg"
          block
          icon={Play}
          busy={isBusy}
          disabled={isBusy || !isReady}
        >
          Start Training
        </Button>
      </form>
      <div className="mt-6">
        <TrainingTemplates
          encoderType={encoderType}
          values={form.values}
          onLoad={(encoder, values) => {
            setEncoderType(encoder);
            form.load(values);
          }}
        />
      </div>
    </Card>
  );
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
