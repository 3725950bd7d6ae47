import { defaultConfig, type Steered, type SteeringConfig } from '@/stores/steeringStore';
import type {
  HookType,
  Preset,
  PresetWrite,
  ResolvedFeature,
  SavedRunDetail,
} from '@/types/steering.types';
import { clockTag } from '@/utils/format';
import { CHANGEABLE, modeOf, STEERING_SPECS, toPresetSettings } from './steeringRequest';
import { toCondition, whereOf } from './where';

type Settings = Readonly<Record<string, unknown>>;

/** The configuration that a saved run was generated with; the plan of sweeps stays as it is. */
export function configOfRun(run: SavedRunDetail, now: SteeringConfig): SteeringConfig {
  const { result, settings } = run;
  const layer = result.intervention_layer;
  const isOwn = result.features.every((feature) => feature.own_layer === layer);
  const { temperature } = settings;
  return {
    ...keptSettings(settings),
    ...(result.features.some(isElsewhere) ? forced(settings) : {}),
    modelId: result.model_id,
    prompt: result.prompt,
    layer: isOwn ? null : layer,
    temperature: typeof temperature === 'number' ? temperature : defaultConfig.temperature,
    steered: result.features.map((feature) => toSteered(acted(feature, layer))),
    where: whereOf(settings, result.condition),
    sweep: now.sweep,
  };
}

/** Whether a feature acted at another layer or place than it was learned at. */
export function isElsewhere({
  layer,
  own_layer,
  hook_type,
  own_hook_type,
}: ResolvedFeature): boolean {
  return own_layer != null && (layer !== own_layer || hook_type !== own_hook_type);
}

function forced(settings: Settings): Pick<SteeringConfig, 'more'> {
  return { more: { ...changedSettings(settings), force: true } };
}

/** A feature of a run with its layer and its place where they are not those of the others. */
function acted(feature: ResolvedFeature, layer: number): Described {
  const isOwnPlace = !feature.own_hook_type || feature.hook_type === feature.own_hook_type;
  return {
    ...feature,
    layer: feature.layer === layer ? null : feature.layer,
    hook_type: isOwnPlace ? null : feature.hook_type,
  };
}

/** What settings by the API's names say of the text and of the sampling. */
function keptSettings(
  settings: Settings,
): Pick<SteeringConfig, 'maxNewTokens' | 'seed' | 'stop' | 'more'> {
  const number = (name: string, fallback: number | null) => {
    const value = settings[name];
    return typeof value === 'number' ? value : fallback;
  };
  const { stop } = settings;
  return {
    maxNewTokens: number('max_new_tokens', defaultConfig.maxNewTokens),
    seed: number('seed', defaultConfig.seed),
    stop: Array.isArray(stop) ? stop.filter((text) => typeof text === 'string') : [],
    more: changedSettings(settings),
  };
}

function changedSettings(settings: Settings): NonNullable<SteeringConfig['more']> {
  const entries = CHANGEABLE.flatMap((name) => {
    const value = settings[name];
    const isPlain = ['string', 'number', 'boolean'].includes(typeof value);
    return isPlain && value !== STEERING_SPECS[name].default ? [[name, value] as const] : [];
  });
  return Object.fromEntries(entries) as NonNullable<SteeringConfig['more']>;
}

/**
 * What a preset holds, which is all but model and prompt; the plan of sweeps stays too.
 *
 * @param ownLayer The layer of the dictionary, which needs no mention.
 */
export function withPreset(
  config: SteeringConfig,
  preset: Preset,
  ownLayer: number | null,
): SteeringConfig {
  const { settings, mode, intervention_layer: layer } = preset;
  const kept = keptSettings(settings);
  return {
    ...config,
    ...kept,
    more: mode === 'delta' ? kept.more : { ...kept.more, mode },
    layer: layer === ownLayer ? null : layer,
    temperature: preset.temperature,
    where: whereOf(settings, preset.condition),
    steered: preset.features.map((feature) => toSteered({ ...feature, id: feature.feature_id })),
  };
}

interface Described {
  id: number;
  coefficient: number;
  unit?: Steered['unit'];
  method?: Steered['method'];
  only_active?: boolean;
  layer?: number | null;
  hook_type?: string | null;
}

function toSteered(feature: Described): Steered {
  const { id, coefficient, unit = 'max_multiple', method = 'add' } = feature;
  const { only_active: onlyActive, layer, hook_type: hookType } = feature;
  return {
    id,
    coefficient,
    unit,
    ...(method === 'add' ? {} : { method }),
    ...(onlyActive ? { onlyActive } : {}),
    ...(layer == null ? {} : { layer }),
    ...(hookType == null ? {} : { hookType }),
  };
}

/** What is set now, to be kept under a name. */
export function toPreset(
  config: SteeringConfig,
  trainingId: string,
  layer: number,
  name: string,
  description: string | null,
): PresetWrite {
  return {
    training_id: trainingId,
    name,
    description,
    intervention_layer: layer,
    temperature: config.temperature ?? 0,
    condition: toCondition(config.where).condition ?? null,
    mode: modeOf(config),
    settings: toPresetSettings(config),
    features: config.steered.map((s) => ({
      feature_id: s.id,
      coefficient: s.coefficient,
      unit: s.unit,
      method: s.method ?? 'add',
      only_active: s.onlyActive ?? false,
      layer: s.layer ?? null,
      hook_type: (s.hookType as HookType | undefined) ?? null,
    })),
  };
}

/** Such as `steering_2features_layer14_1405`. */
export function suggestPreset(config: SteeringConfig, layer: number | null): string {
  const n = config.steered.length;
  const place = layer === null ? '' : `_layer${layer}`;
  return `steering_${n}feature${n === 1 ? '' : 's'}${place}_${clockTag(new Date())}`;
}
