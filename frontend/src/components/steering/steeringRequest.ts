import { fields } from '@/services/generated/fields';
import type { SteeringConfig } from '@/stores/steeringStore';
import type { FieldSpec } from '@/types/form.types';
import type { SteeringGenerate } from '@/types/steering.types';
import { specError } from '@/utils/validation';

export const STEERING_SPECS = fields.SteeringGenerate;

/** Settings behind "More settings", by their name in the API. */
export const MORE_LABELS = {
  top_p: 'Top-p',
  top_k: 'Top-k',
  repetition_penalty: 'Repetition Penalty',
  use_chat_template: 'Use the Chat Template',
  steer_prompt: 'Act on the Prompt',
  steer_generated: 'Act on Generated Tokens',
  exclude_special: 'Leave Special Tokens Alone',
} as const;
export const MORE_NAMES = Object.keys(MORE_LABELS) as (keyof typeof MORE_LABELS)[];

export type SettingName = 'temperature' | 'maxNewTokens' | 'seed' | 'layer';

const SPECS: Record<SettingName, FieldSpec> = {
  temperature: STEERING_SPECS.temperature,
  maxNewTokens: STEERING_SPECS.max_new_tokens,
  seed: STEERING_SPECS.seed,
  layer: STEERING_SPECS.intervention_layer,
};

const PROMPT_LIMIT = 20_000;

/** What is wrong with a setting by the API's own bounds; undefined when it will be accepted. */
export function settingError(name: SettingName, config: SteeringConfig): string | undefined {
  return specError(SPECS[name], config[name]);
}

/** The first thing that keeps a comparison from being generated, as a sentence; null when ready. */
export function blockingReason(config: SteeringConfig): string | null {
  if (!config.modelId) return 'Choose the model that generates.';
  if (config.steered.length === 0) return 'Add a feature to steer with.';
  if (config.steered.every(changesNothing)) {
    return 'Every coefficient is 0: both texts would be the same.';
  }
  if (config.prompt.trim() === '') return 'Type a prompt.';
  if (config.prompt.length > PROMPT_LIMIT) return 'The prompt is longer than 20,000 characters.';
  const names: SettingName[] = ['temperature', 'maxNewTokens', 'seed', 'layer'];
  const isWrong = names.some((name) => settingError(name, config) !== undefined);
  return isWrong ? 'Correct the marked settings.' : null;
}

/** Adding nothing; every other method acts at 0 too. */
function changesNothing({ coefficient, method }: SteeringConfig['steered'][number]): boolean {
  return coefficient === 0 && (method ?? 'add') === 'add';
}

/** What a request says besides prompt and features, by the API's names. */
export function toSettings(config: SteeringConfig) {
  return {
    model_id: config.modelId ?? '',
    intervention_layer: config.layer,
    temperature: config.temperature ?? undefined,
    max_new_tokens: config.maxNewTokens ?? undefined,
    seed: config.seed ?? undefined,
    ...config.more,
  };
}

/** The request of a configuration for which `blockingReason` is null. */
export function toRequest(config: SteeringConfig): SteeringGenerate {
  return {
    ...toSettings(config),
    prompt: config.prompt,
    features: config.steered.map(toFeature),
  };
}

function toFeature({ onlyActive, ...feature }: SteeringConfig['steered'][number]) {
  return onlyActive ? { ...feature, only_active: true } : feature;
}
