import { TextArea } from '@/components/common/Input';
import { NumberInput } from '@/components/common/NumberInput';
import { Select } from '@/components/common/Select';
import { SpecField } from '@/components/common/SpecField';
import type { SteeringConfig } from '@/stores/steeringStore';
import type { LanguageModel } from '@/types/model.types';
import { ChatField } from './ChatField';
import { MoreSettings } from './MoreSettings';
import { promptError, settingError, STEERING_SPECS } from './steeringRequest';
import { WhereItActs } from './WhereItActs';

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
  /** Whether the model that generates has a chat template; null while that is not known. */
  canChat: boolean | null;
  /** Layer of the dictionary that the features come from. */
  ownLayer: number | null;
  /** Place in a block that this dictionary writes. */
  ownPlace: string | null;
  /** The training whose features a condition may be chosen from. */
  trainingId: string | null;
  /** Why the condition cannot decide here. */
  conditionError: string | undefined;
  /** Off where the prompts stand elsewhere. */
  showsPrompt: boolean;
  /** Off where only the change can be added. */
  showsMode: boolean;
  onChange: (changes: Changes) => void;
  onSubmit: () => void;
}

/** What is generated and where the features act. */
export function GenerationConfig({
  config,
  models,
  canChat,
  ownLayer,
  ownPlace,
  trainingId,
  conditionError,
  showsPrompt,
  showsMode,
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
      <ChatField more={config.more} {...{ canChat, onChange }} />
      <LayerSelect {...{ nLayers, ownLayer, ownPlace, config, onChange }} />
      <div className="grid gap-3 min-[28rem]:grid-cols-3">
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
      <WhereItActs {...{ config, trainingId, conditionError, showsMode, onChange }} />
      <MoreSettings {...{ config, onChange }} />
    </div>
  );
}

interface LayerSelectProps {
  nLayers: number | null;
  ownLayer: number | null;
  ownPlace: string | null;
  config: SteeringConfig;
  onChange: (changes: Changes) => void;
}

/** Another layer than the dictionary's own must be meant: the API refuses it otherwise. */
function LayerSelect({ nLayers, ownLayer, ownPlace, config, onChange }: LayerSelectProps) {
  const { layer, more } = config;
  const own = ownLayer === null ? '' : ` (${ownLayer})`;
  const isElsewhere = layer !== null && ownLayer !== null && layer !== ownLayer;
  const isOneElsewhere = config.steered.some(
    (one) =>
      (one.layer != null && ownLayer !== null && one.layer !== ownLayer) ||
      (one.hookType !== undefined && ownPlace !== null && one.hookType !== ownPlace),
  );
  const count = Math.max(nLayers ?? 0, (layer ?? -1) + 1);
  const unforced = Object.fromEntries(
    Object.entries(more ?? {}).filter(([name]) => name !== 'force'),
  );
  return (
    <div className="space-y-2">
      <Select
        label="Intervention layer"
        help="The block in which the features act, at the place where their dictionary writes."
        hint={
          isElsewhere
            ? `The features were found at layer ${ownLayer}; elsewhere their direction may mean something else.`
            : undefined
        }
        value={layer === null ? '' : String(layer)}
        placeholder={`The layer of the dictionary${own}`}
        onChange={(value) =>
          onChange(value === '' ? { layer: null, more: unforced } : { layer: Number(value) })
        }
        options={Array.from({ length: count }, (_, index) => ({
          value: String(index),
          label: `Layer ${index}`,
        }))}
      />
      {(isElsewhere || isOneElsewhere || more?.force === true) && (
        <SpecField
          spec={STEERING_SPECS.force}
          label="Steer There All the Same"
          value={more?.force === true}
          onChange={(value) =>
            onChange({ more: value === true ? { ...unforced, force: true } : unforced })
          }
        />
      )}
    </div>
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
        help="A model with a chat template can also take it as a user’s message, after a system prompt; the switch for it is below then."
        rows={4}
        value={prompt}
        error={promptError(prompt)}
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
