import { Zap } from 'lucide-react';
import { useState } from 'react';
import { Button } from '@/components/common/Button';
import { Disclosure } from '@/components/common/Disclosure';
import { ErrorBox } from '@/components/common/ErrorBox';
import { EstimateBox } from '@/components/common/EstimateBox';
import { Modal } from '@/components/common/Modal';
import { Select } from '@/components/common/Select';
import { SpecField } from '@/components/common/SpecField';
import { useAction } from '@/hooks/useAction';
import { useDatasets } from '@/hooks/useDatasets';
import { useEstimate } from '@/hooks/useEstimate';
import { useArchitecture } from '@/hooks/useModels';
import { useSpecForm } from '@/hooks/useSpecForm';
import { activationService } from '@/services/activationService';
import { fields } from '@/services/generated/fields';
import { useActivationStore } from '@/stores/activationStore';
import { toast } from '@/stores/uiStore';
import type { ActivationExtract, LanguageModel } from '@/types/model.types';
import { formatInteger } from '@/utils/format';
import { ExtractionTemplates } from './ExtractionTemplates';
import { HookTypes } from './HookTypes';
import { LayerGrid } from './LayerGrid';
import { middleLayer } from './middleLayer';

const SPECS = fields.ActivationExtract;
const MAIN = ['batch_size', 'max_tokens'] as const;
const MORE = ['max_samples', 'dtype', 'norm_limit', 'windows_per_shard'] as const;
const LABELS = {
  batch_size: 'Batch Size',
  max_tokens: 'Tokens at most',
  max_samples: 'Windows at most',
  dtype: 'Number Format',
  norm_limit: 'Norm Limit',
  windows_per_shard: 'Windows per File',
};

interface ActivationExtractionConfigProps {
  model: LanguageModel;
  onClose: () => void;
}

/** The dialog that runs a model over a dataset and stores some of its activations. */
export function ActivationExtractionConfig({ model, onClose }: ActivationExtractionConfigProps) {
  const { items } = useDatasets();
  const architecture = useArchitecture(model.id);
  const [chosen, setChosen] = useState('');
  const [layers, setLayers] = useState([middleLayer(model.n_layers ?? 1)]);
  const [hookTypes, setHookTypes] = useState<string[]>(['residual']);
  const form = useSpecForm(SPECS, [...MAIN, ...MORE]);

  const datasets = items?.filter((item) => item.status === 'ready') ?? [];
  const dataset = datasets.find((item) => item.id === chosen) ?? datasets[0];
  const tokenized = dataset?.tokenizations.find(
    (item) => item.model_id === model.id && item.status === 'ready',
  );
  const isWrong = layers.length === 0 || hookTypes.length === 0 || form.hasErrors;
  const obstacle = isWrong ? 'Correct the marked settings first.' : null;
  const reason = dataset ? obstacle : 'Add a dataset first.';
  const isReady = reason === null;
  const body = {
    ...form.values,
    model_id: model.id,
    dataset_id: dataset?.id ?? '',
    layers,
    hook_types: hookTypes,
  } as ActivationExtract;
  const preflight = useEstimate(isReady ? body : null, activationService.estimate);
  const { run, isBusy, error } = useAction(async () => {
    const accepted = await activationService.extract(body);
    if (accepted.resource_id) await useActivationStore.getState().refresh(accepted.resource_id);
    toast('info', 'Extraction started; its progress is under Activation Stores.');
    onClose();
  });

  const field = (name: keyof typeof LABELS) => (
    <SpecField
      key={name}
      spec={SPECS[name]}
      label={LABELS[name]}
      value={form.values[name] ?? null}
      onChange={form.set(name)}
      error={form.errors[name] ?? error?.fieldErrors[name]}
    />
  );

  return (
    <Modal
      size="3xl"
      title="Extract Activations"
      subtitle={model.name}
      onClose={onClose}
      footer={
        <div className="space-y-3">
          {error && <ErrorBox problem={error} />}
          <EstimateBox
            {...preflight}
            onProposal={(change) => form.setValues((values) => ({ ...values, ...known(change) }))}
          />
          <Button
            variant="primary"
            size="lg"
            block
            icon={Zap}
            busy={isBusy}
            disabled={isBusy || !isReady}
            aria-describedby={reason === null ? undefined : 'extraction-reason'}
            onClick={() => void run()}
          >
            Start Extraction
          </Button>
          {reason && (
            <p id="extraction-reason" className="text-center text-sm text-slate-400">
              {reason}
            </p>
          )}
        </div>
      }
    >
      <div className="space-y-6">
        <Select
          label="Dataset"
          value={dataset?.id ?? ''}
          onChange={setChosen}
          placeholder={datasets.length === 0 ? 'Add a dataset first' : undefined}
          options={datasets.map((item) => ({
            value: item.id,
            label: `${item.name} (${formatInteger(item.n_documents)} documents)`,
          }))}
          hint={
            dataset && !tokenized
              ? 'Not yet tokenized for this model; the extraction does that first.'
              : undefined
          }
          error={error?.fieldErrors.dataset_id}
        />
        <LayerGrid
          count={model.n_layers ?? 0}
          selected={layers}
          onChange={setLayers}
          error={layers.length === 0 ? 'Choose at least one layer' : error?.fieldErrors.layers}
        />
        <HookTypes
          available={architecture.data?.hook_types ?? ['residual', 'mlp', 'attention']}
          selected={hookTypes}
          onChange={setHookTypes}
          help={SPECS.hook_types.help}
          error={
            hookTypes.length === 0 ? 'Choose at least one type' : error?.fieldErrors.hook_types
          }
        />
        <div className="grid gap-4 sm:grid-cols-2">{MAIN.map(field)}</div>
        <Disclosure title="More settings">
          <div className="grid gap-4 sm:grid-cols-2">{MORE.map(field)}</div>
        </Disclosure>
        <ExtractionTemplates
          obstacle={obstacle}
          choice={{ layers, hookTypes, maxSamples: numberOrNull(form.values.max_samples) }}
          onLoad={(choice) => {
            setLayers(choice.layers.filter((layer) => layer < (model.n_layers ?? 0)));
            setHookTypes(choice.hookTypes);
            form.set('max_samples')(choice.maxSamples);
          }}
        />
      </div>
    </Modal>
  );
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

/** The settings of a proposal that the form has. */
function known(change: Readonly<Record<string, unknown>>) {
  const names: readonly string[] = [...MAIN, ...MORE];
  const entries = Object.entries(change).filter(([name]) => names.includes(name));
  return Object.fromEntries(entries) as Record<string, string | number | boolean | null>;
}
