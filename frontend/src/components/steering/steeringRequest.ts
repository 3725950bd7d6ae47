import { fields } from '@/services/generated/fields';
import type { SteeringConfig } from '@/stores/steeringStore';
import type { FieldSpec, SpecValue } from '@/types/form.types';
import type { HookType, PresetWrite, SteeringGenerate } from '@/types/steering.types';
import { specError } from '@/utils/validation';
import { isOn, toCondition, toMask, whereErrors } from './where';

export const STEERING_SPECS = fields.SteeringGenerate;

/** Settings behind "More settings", by their name in the API. */
export const MORE_LABELS = {
  top_p: 'Top-p',
  top_k: 'Top-k',
  repetition_penalty: 'Repetition Penalty',
} as const;
export const MORE_NAMES = Object.keys(MORE_LABELS) as (keyof typeof MORE_LABELS)[];

/** Settings behind "Where it acts" that are plain values. */
export const PLACE_LABELS = {
  steer_prompt: 'Act on the Prompt',
  steer_generated: 'Act on New Tokens',
  exclude_special: 'Skip Special Tokens',
} as const;
export const PLACE_NAMES = Object.keys(PLACE_LABELS) as (keyof typeof PLACE_LABELS)[];
const CHAT_NAMES = ['use_chat_template', 'system_prompt'] as const;
/** All that `SteeringConfig.more` may hold. */
export const CHANGEABLE = [...MORE_NAMES, ...PLACE_NAMES, ...CHAT_NAMES, 'mode', 'force'] as const;
export type Changeable = (typeof CHANGEABLE)[number];

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
  if (promptError(config.prompt)) return 'The prompt is longer than 20,000 characters.';
  return settingsReason(config);
}

/** The first thing that is wrong with what a configuration says besides model, prompt and features. */
export function settingsReason(config: SteeringConfig): string | null {
  const names: SettingName[] = ['temperature', 'maxNewTokens', 'seed', 'layer'];
  const isWrong =
    names.some((name) => settingError(name, config) !== undefined) ||
    MORE_NAMES.some((name) => moreError(name, config) !== undefined) ||
    Object.keys(whereErrors(config.where)).length > 0;
  if (isWrong) return 'Correct the marked settings.';
  if (!isOn(config, 'steer_prompt') && !isOn(config, 'steer_generated')) return ACTS_NOWHERE;
  return featureReason(config);
}

export const ACTS_NOWHERE = 'Act on the prompt, on generated tokens, or on both.';

/** What is wrong with a prompt besides being empty. */
export function promptError(prompt: string): string | undefined {
  return prompt.length > PROMPT_LIMIT
    ? `${prompt.length.toLocaleString('en-US')} characters; at most 20,000`
    : undefined;
}

/** What is wrong with a setting behind "More settings". */
export function moreError(
  name: (typeof MORE_NAMES)[number],
  { more }: Pick<SteeringConfig, 'more'>,
): string | undefined {
  return more && name in more ? specError(STEERING_SPECS[name], more[name]) : undefined;
}

const LARGEST_COEFFICIENT = 1000;
type Strength = Pick<SteeringConfig['steered'][number], 'coefficient' | 'unit' | 'method'>;

/** What is wrong with a feature's strength. */
export function coefficientError({ coefficient, unit, method }: Strength): string | undefined {
  if (!Number.isFinite(coefficient)) return 'Type a number';
  if (Math.abs(coefficient) > LARGEST_COEFFICIENT) return 'Between −1,000 and 1,000';
  const isTarget = unit === 'kl' && (method ?? 'add') === 'add';
  return isTarget && coefficient === 0 ? 'Not 0: its sign says which way to go' : undefined;
}

function featureReason({ steered, more }: SteeringConfig): string | null {
  if (steered.some((feature) => coefficientError(feature) !== undefined)) {
    return 'Correct the marked strengths.';
  }
  if (modeOf({ more }) === 'delta') return null;
  return steered.some(({ unit, method }) => unit === 'kl' && (method ?? 'add') === 'add')
    ? 'Reconstruction mode has no strength in nats: choose another unit.'
    : null;
}

/** Adding nothing; every other method acts at 0 too. */
function changesNothing({ coefficient, method }: SteeringConfig['steered'][number]): boolean {
  return coefficient === 0 && (method ?? 'add') === 'add';
}

/** Whether only the change is added, or the reconstruction takes the state's place. */
export function modeOf({ more }: Pick<SteeringConfig, 'more'>): 'delta' | 'reconstruction' {
  return more?.mode === 'reconstruction' ? 'reconstruction' : 'delta';
}

export function withoutMode(more: SteeringConfig['more']): SteeringConfig['more'] {
  return more && without(more, 'mode');
}

function without(more: NonNullable<SteeringConfig['more']>, left: Changeable) {
  return Object.fromEntries(Object.entries(more).filter(([name]) => name !== left));
}

/** The settings with another value of one; what is the API's default is left out. */
export function withSetting(
  more: SteeringConfig['more'],
  name: Changeable,
  value: SpecValue,
): NonNullable<SteeringConfig['more']> {
  const others = without(more ?? {}, name);
  return value === STEERING_SPECS[name].default ? others : { ...others, [name]: value };
}

/** Whether the prompt is a user's message of the model's chat format. */
export function isChat({ more }: Pick<SteeringConfig, 'more'>): boolean {
  return more?.use_chat_template === true;
}

/** Why the chat format cannot be used with a model; `canChat` is null while that is not known. */
export function chatError(
  config: Pick<SteeringConfig, 'more'>,
  canChat: boolean | null,
): string | undefined {
  return isChat(config) && canChat === false
    ? 'This model has no chat template: turn it off, or choose a model that was trained to chat.'
    : undefined;
}

/** What is sent of the settings: a system prompt stands in the chat format only. */
function sentSettings({ more }: Pick<SteeringConfig, 'more'>): SteeringConfig['more'] {
  const sent = withoutMode(more);
  return isChat({ more }) || !sent ? sent : without(sent, 'system_prompt');
}

/** What a request says besides prompt, features and mode, by the API's names. */
export function toSettings(config: SteeringConfig) {
  return {
    model_id: config.modelId ?? '',
    intervention_layer: config.layer,
    temperature: config.temperature ?? undefined,
    ...toPresetSettings(config),
    ...toCondition(config.where),
  };
}

/** The part of it that a preset has no column of its own for. */
export function toPresetSettings(config: SteeringConfig): NonNullable<PresetWrite['settings']> {
  return {
    max_new_tokens: config.maxNewTokens ?? undefined,
    seed: config.seed ?? undefined,
    ...(config.stop.length > 0 ? { stop: [...config.stop] } : {}),
    ...sentSettings(config),
    ...toMask(config.where),
  };
}

/** The request of a configuration for which `blockingReason` is null. */
export function toRequest(config: SteeringConfig): SteeringGenerate {
  return {
    ...toSettings(config),
    prompt: config.prompt,
    features: config.steered.map(toFeature),
    ...(modeOf(config) === 'delta' ? {} : { mode: modeOf(config) }),
  };
}

function toFeature({ onlyActive, hookType, ...feature }: SteeringConfig['steered'][number]) {
  return {
    ...feature,
    ...(onlyActive ? { only_active: true } : {}),
    ...(hookType ? { hook_type: hookType as HookType } : {}),
  };
}
