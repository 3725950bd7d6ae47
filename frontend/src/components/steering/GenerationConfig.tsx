import { TextArea } from '@/components/common/Input';
import { NumberInput } from '@/components/common/NumberInput';
import { Select } from '@/components/common/Select';
import type { SteeringConfig } from '@/stores/steeringStore';
import type { LanguageModel } from '@/types/model.types';
import { MoreSettings } from './MoreSettings';
import { settingError, STEERING_SPECS } from './steeringRequest';

const EXAMPLE_PROMPTS = [
  'Once upon a time',
  'The meaning of life is',
  'def read_file(path):\n    """',
  'Returns the number of',
];

type Changes = Partial<Omit<SteeringConfig, 'steered'>>;

interface GenerationConfigProps {
  config: SteeringConfig;
  models: readonly LanguageModel[];
  /** Layer of the dictionary that the features come from. */
  ownLayer: number | null;
  /** Off where the prompts stand elsewhere. */
  showsPrompt: boolean;
  onChange: (changes: Changes) => void;
  onSubmit: () => void;
}

/** What is generated and where the features act. */
export function GenerationConfig({
  config,
  models,
  ownLayer,
  showsPrompt,
  onChange,
  onSubmit,
}: GenerationConfigProps) {
  const nLayers = models.find((model) => model.id === config.modelId)?.n_layers ?? null;
  return (
    <div className="space-y-4">
      <Select
        label="Model (for generation)"
        value={config.modelId ?? ''}
        placeholder="Choose a model"
        onChange={(id) => onChange({ modelId: id || null })}
        options={models.map((model) => ({ value: model.id, label: model.name }))}
      />
      {showsPrompt && <PromptField prompt={config.prompt} {...{ onChange, onSubmit }} />}
      <LayerSelect {...{ nLayers, ownLayer }} layer={config.layer} onChange={onChange} />
      <div className="grid grid-cols-3 gap-3">
        <NumberInput
          label="Temperature"
          help={STEERING_SPECS.temperature.help}
          error={settingError('temperature', config)}
          value={config.temperature}
          onChange={(temperature) => onChange({ temperature })}
        />
        <NumberInput
          label="Max tokens"
          help={STEERING_SPECS.max_new_tokens.help}
          error={settingError('maxNewTokens', config)}
          value={config.maxNewTokens}
          onChange={(maxNewTokens) => onChange({ maxNewTokens })}
        />
        <NumberInput
          label="Seed"
          help={STEERING_SPECS.seed.help}
          error={settingError('seed', config)}
          value={config.seed}
          onChange={(seed) => onChange({ seed })}
        />
      </div>
      <MoreSettings more={config.more ?? {}} onChange={(more) => onChange({ more })} />
    </div>
  );
}

interface LayerSelectProps {
  nLayers: number | null;
  ownLayer: number | null;
  layer: number | null;
  onChange: (changes: Changes) => void;
}

function LayerSelect({ nLayers, ownLayer, layer, onChange }: LayerSelectProps) {
  const own = ownLayer === null ? '' : ` (${ownLayer})`;
  const isElsewhere = layer !== null && ownLayer !== null && layer !== ownLayer;
  const count = Math.max(nLayers ?? 0, (layer ?? -1) + 1);
  return (
    <Select
      label="Intervention layer"
      help="The block whose output the features are added to."
      hint={
        isElsewhere
          ? `The features were found at layer ${ownLayer}; elsewhere their direction may mean something else.`
          : undefined
      }
      value={layer === null ? '' : String(layer)}
      placeholder={`The layer of the dictionary${own}`}
      onChange={(value) => onChange({ layer: value === '' ? null : Number(value) })}
      options={Array.from({ length: count }, (_, index) => ({
        value: String(index),
        label: `Layer ${index}`,
      }))}
    />
  );
}

interface PromptFieldProps {
  prompt: string;
  onChange: (changes: Changes) => void;
  onSubmit: () => void;
}

/** The text that both branches continue, and a few to begin with. */
function PromptField({ prompt, onChange, onSubmit }: PromptFieldProps) {
  return (
    <div>
      <TextArea
        label="Prompt"
        rows={4}
        value={prompt}
        placeholder="Text that both branches continue"
        onChange={(text) => onChange({ prompt: text })}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
          event.preventDefault();
          onSubmit();
        }}
      />
      <div className="mt-2 flex flex-wrap gap-2" role="group" aria-label="Example prompts">
        {EXAMPLE_PROMPTS.map((example) => (
          <button
            key={example}
            type="button"
            onClick={() => onChange({ prompt: example })}
            className="rounded-full border border-slate-700 bg-slate-800/50 px-3 py-1 font-mono text-xs text-slate-300 transition-colors hover:border-emerald-500 hover:text-slate-100"
          >
            {example.split('\n')[0]}
          </button>
        ))}
      </div>
    </div>
  );
}
