import { Zap } from 'lucide-react';
import { Select } from '@/components/common/Select';
import type { Activation } from '@/types/model.types';
import type { EncoderType } from '@/types/training.types';
import { formatCompact } from '@/utils/format';
import { hookName } from '@/utils/hookNames';
import { navigate } from '@/utils/urlState';
import { MissingNotice } from './MissingNotice';
import type { useTrainingSource } from './useTrainingSource';

const ENCODERS: readonly { value: EncoderType; label: string }[] = [
  { value: 'sparse', label: 'Sparse Autoencoder' },
  { value: 'skip', label: 'Skip Autoencoder' },
  { value: 'transcoder', label: 'Transcoder' },
];

interface TrainingSourceProps {
  source: ReturnType<typeof useTrainingSource>;
  encoderType: EncoderType;
  onEncoderType: (type: EncoderType) => void;
  errors: Record<string, string>;
}

function describeStore(store: Activation): string {
  const layers = store.layers.map((layer) => `L${layer}`).join(', ');
  return `${layers} · ${formatCompact(store.n_tokens)} tokens`;
}

/** Dataset, model and encoder, then which stored activations are read. */
export function TrainingSource({
  source,
  encoderType,
  onEncoderType,
  errors,
}: TrainingSourceProps) {
  return (
    <div className="space-y-4">
      <div className="grid gap-4 sm:grid-cols-3">
        <Select
          label="Dataset"
          placeholder="Choose a dataset"
          value={source.datasetId}
          onChange={source.chooseDataset}
          options={source.datasets.map(({ id, name }) => ({ value: id, label: name }))}
          error={errors.dataset_id}
        />
        <Select
          label="Model"
          placeholder="Choose a model"
          value={source.modelId}
          onChange={source.chooseModel}
          options={source.models.map(({ id, name }) => ({ value: id, label: name }))}
          error={errors.model_id}
        />
        <Select
          label="Encoder Type"
          value={encoderType}
          onChange={(value) => {
            const found = ENCODERS.find((option) => option.value === value);
            if (found) onEncoderType(found.value);
          }}
          options={ENCODERS}
          error={errors.encoder_type}
        />
      </div>
      {source.store ? (
        <div className="grid gap-4 sm:grid-cols-3">
          <Select
            label="Activation Store"
            value={source.store.id}
            onChange={source.chooseStore}
            options={source.fitting.map((store) => ({
              value: store.id,
              label: describeStore(store),
            }))}
            error={errors.activation_id}
          />
          <Select
            label="Layer"
            value={source.layer}
            onChange={source.chooseLayer}
            options={source.store.layers.map((layer) => ({
              value: String(layer),
              label: `Layer ${layer}`,
            }))}
            error={errors.layer}
          />
          <Select
            label="Activation Type"
            value={source.hookType}
            onChange={source.chooseHookType}
            options={
              encoderType === 'transcoder'
                ? [{ value: 'mlp_input', label: 'MLP Input → MLP Output' }]
                : source.store.hook_types.map((type) => ({
                    value: type,
                    label: hookName(type),
                  }))
            }
            error={errors.hook_type}
          />
        </div>
      ) : (
        <NoStore
          modelId={source.modelId}
          isChosen={!!source.datasetId && !!source.modelId}
          isTranscoder={encoderType === 'transcoder'}
        />
      )}
    </div>
  );
}

interface NoStoreProps {
  modelId: string;
  isChosen: boolean;
  isTranscoder: boolean;
}

function NoStore({ modelId, isChosen, isTranscoder }: NoStoreProps) {
  if (!isChosen) return null;
  return (
    <MissingNotice
      action={{
        label: 'Extract Activations',
        icon: Zap,
        onClick: () => navigate({ tab: 'models', extract: modelId }),
      }}
    >
      {isTranscoder
        ? 'A transcoder needs the MLP input and the MLP output of a layer in one store; none holds both yet.'
        : 'There are no activations of this model on this dataset yet; a training reads stored ones.'}
    </MissingNotice>
  );
}
