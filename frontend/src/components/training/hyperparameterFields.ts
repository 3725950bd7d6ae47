import type { fields } from '@/services/generated/fields';

type Name = keyof typeof fields.Hyperparameters;

interface FieldView {
  name: Name;
  label: string;
  /** Offered in a select although the API takes any number in its bounds. */
  choices?: readonly number[];
  /** Shown only with this activation. */
  only?: 'topk' | 'relu';
}

/** What most runs change. */
export const mainFields: readonly FieldView[] = [
  { name: 'activation', label: 'Activation' },
  { name: 'k', label: 'Active Latents (k)', only: 'topk' },
  { name: 'l1_coefficient', label: 'L1 Coefficient (λ)', only: 'relu' },
  { name: 'expansion_factor', label: 'Expansion Factor', choices: [4, 8, 16, 32] },
  { name: 'training_steps', label: 'Training Steps' },
  { name: 'batch_size', label: 'Batch Size', choices: [256, 512, 1024, 2048, 4096, 8192] },
  { name: 'learning_rate', label: 'Learning Rate' },
];

/** The rest, folded away. */
export const advancedFields: readonly FieldView[] = [
  { name: 'optimizer', label: 'Optimizer' },
  { name: 'lr_schedule', label: 'LR Schedule' },
  { name: 'warmup_steps', label: 'Warm-up Steps' },
  { name: 'decay_percent', label: 'Decay' },
  { name: 'weight_decay', label: 'Weight Decay' },
  { name: 'gradient_clip', label: 'Gradient Clip' },
  { name: 'auxk_coefficient', label: 'Dead Latent Loss (AuxK)', only: 'topk' },
  { name: 'dead_window_tokens', label: 'Dead After' },
  { name: 'd_sae', label: 'Latents' },
  { name: 'precision', label: 'Precision' },
  { name: 'seed', label: 'Seed' },
  { name: 'log_every', label: 'Log Every' },
  { name: 'checkpoint_every', label: 'Auto-save Every' },
  { name: 'keep_checkpoints', label: 'Checkpoints Kept' },
];

export const fieldNames: readonly Name[] = [...mainFields, ...advancedFields].map(
  ({ name }) => name,
);
