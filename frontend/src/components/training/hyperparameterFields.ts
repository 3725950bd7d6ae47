import type { fields } from '@/services/generated/fields';
import type { EncoderType } from '@/types/training.types';

type Name = keyof typeof fields.Hyperparameters;

/** What decides which settings matter. */
export interface Choices {
  encoderType: EncoderType;
  values: Record<string, unknown>;
}

type Rule = (choices: Choices) => boolean;

export interface FieldView {
  name: Name;
  label: string;
  /** Offered in a select although the API takes any number in its bounds. */
  choices?: readonly number[];
  /** Whether the setting matters; always, if left out. */
  when?: Rule;
}

const activation =
  (...names: string[]): Rule =>
  ({ values }) =>
    names.includes(String(values.activation));

const optimizer =
  (...names: string[]): Rule =>
  ({ values }) =>
    names.includes(String(values.optimizer));

export const keepsK = activation('topk', 'batchtopk', 'jumprelu');
export const nests = activation('topk', 'batchtopk');
const penalised = activation('relu', 'gated');

const hasSkipPath: Rule = ({ encoderType, values }) =>
  encoderType === 'skip' || (encoderType === 'transcoder' && values.skip === true);

/** What most runs change. */
export const mainFields: readonly FieldView[] = [
  { name: 'activation', label: 'Activation' },
  { name: 'k', label: 'Active Latents (k)', when: keepsK },
  { name: 'l1_coefficient', label: 'L1 Coefficient (λ)', when: penalised },
  { name: 'expansion_factor', label: 'Expansion Factor', choices: [2, 4, 8, 16, 32, 64] },
  { name: 'training_steps', label: 'Training Steps' },
  { name: 'batch_size', label: 'Batch Size', choices: [256, 512, 1024, 2048, 4096, 8192] },
  { name: 'learning_rate', label: 'Learning Rate' },
  {
    name: 'skip',
    label: 'Linear Skip Path',
    when: ({ encoderType }) => encoderType === 'transcoder',
  },
  { name: 'skip_rank', label: 'Skip Path Rank', when: hasSkipPath },
];

/** The rest, folded away. */
export const advancedFields: readonly FieldView[] = [
  { name: 'k_warmup_percent', label: 'k Warm-up', when: nests },
  { name: 'l0_coefficient', label: 'L0 Coefficient', when: activation('jumprelu') },
  { name: 'bandwidth', label: 'Threshold Bandwidth', when: activation('jumprelu') },
  { name: 'l1_warmup_percent', label: 'L1 Warm-up', when: penalised },
  { name: 'optimizer', label: 'Optimizer' },
  { name: 'lr_schedule', label: 'LR Schedule' },
  { name: 'warmup_steps', label: 'Warm-up Steps' },
  {
    name: 'decay_percent',
    label: 'Decay',
    when: ({ values }) => values.lr_schedule === 'trapezoid',
  },
  { name: 'weight_decay', label: 'Weight Decay', when: optimizer('adamw') },
  { name: 'adam_beta1', label: 'Adam β1', when: optimizer('adam', 'adamw') },
  { name: 'adam_beta2', label: 'Adam β2', when: optimizer('adam', 'adamw') },
  { name: 'gradient_clip', label: 'Gradient Clip' },
  { name: 'gradient_accumulation', label: 'Gradient Accumulation' },
  { name: 'auxk_coefficient', label: 'Dead Latent Loss (AuxK)', when: keepsK },
  { name: 'dead_window_tokens', label: 'Dead After' },
  { name: 'd_sae', label: 'Latents' },
  { name: 'evaluation_windows', label: 'Evaluation Windows' },
  { name: 'precision', label: 'Precision' },
  { name: 'source', label: 'Activations From' },
  { name: 'seed', label: 'Seed' },
  { name: 'data_seed', label: 'Data Seed' },
  { name: 'log_every', label: 'Log Every' },
  { name: 'checkpoint_every', label: 'Auto-save Every' },
  { name: 'keep_checkpoints', label: 'Checkpoints Kept' },
];

const allFields = [...mainFields, ...advancedFields];

export const fieldNames: readonly Name[] = allFields.map(({ name }) => name);

export function matters({ when }: FieldView, choices: Choices): boolean {
  return when === undefined || when(choices);
}

/** The settings that are sent: those that matter, so that nothing hidden can be refused. */
export function sentValues(choices: Choices): Record<string, unknown> {
  const names = new Set<string>(allFields.filter((f) => matters(f, choices)).map((f) => f.name));
  return Object.fromEntries(Object.entries(choices.values).filter(([name]) => names.has(name)));
}

/** `256, 1024` → [256, 1024]; null when it is not a rising list of whole numbers. */
export function parseSizes(text: string): number[] | null {
  const parts = text.split(/[\s,]+/).filter(Boolean);
  const sizes = parts.map(Number);
  const rise = sizes.every((size, i) => Number.isInteger(size) && size > (sizes[i - 1] ?? 0));
  return rise ? sizes : null;
}
