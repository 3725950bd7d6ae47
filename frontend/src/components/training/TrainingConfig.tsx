import { Play } from 'lucide-react';
import { type SubmitEvent, useState } from 'react';
import { Button } from '@/components/common/Button';
import { Card } from '@/components/common/Card';
import { ErrorBox } from '@/components/common/ErrorBox';
import { useAction } from '@/hooks/useAction';
import { useSpecForm } from '@/hooks/useSpecForm';
import { fields } from '@/services/generated/fields';
import { trainingService } from '@/services/trainingService';
import { useTrainingStore } from '@/stores/trainingStore';
import type { Dataset } from '@/types/dataset.types';
import type { Activation, LanguageModel } from '@/types/model.types';
import type { EncoderType } from '@/types/training.types';
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
  const { run, isBusy, error } = useAction(async () => {
    const created = await trainingService.create({
      dataset_id: source.datasetId,
      model_id: source.modelId,
      activation_id: source.store?.id ?? null,
      layer: Number(source.layer),
      hook_type: source.hookType,
      encoder_type: encoderType,
      hyperparameters: { ...sentValues(choices), matryoshka_sizes: sizes ?? [] },
    });
    await useTrainingStore.getState().refresh(created.training_id);
    navigate({ tab: 'training', training: created.training_id });
  });

  const latents = countLatents(form.values, source.model?.d_model ?? null);
  const kError =
    keepsK(choices) && latents !== null && Number(form.values.k) > latents
      ? `At most the ${formatInteger(latents)} latents`
      : undefined;

  const sizesError = sizes === null ? 'Rising whole numbers, with commas between' : undefined;

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
        {error && <ErrorBox problem={error} />}
        <Button
          type="submit"
          variant="primary"
          size="lg"
          block
          icon={Play}
          busy={isBusy}
          disabled={isBusy || !source.store || form.hasErrors || !!(kError ?? sizesError)}
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

/** The API names a nested field `hyperparameters.k`; the form knows it as `k`. */
function hyperparameterErrors(errors: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(errors).map(([field, message]) => [
      field.replace(/^hyperparameters\./, ''),
      message,
    ]),
  );
}
