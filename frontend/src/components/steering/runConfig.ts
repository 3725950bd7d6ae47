import { defaultConfig, type Steered, type SteeringConfig } from '@/stores/steeringStore';
import type { Preset, PresetWrite, SavedRunDetail } from '@/types/steering.types';
import { clockTag } from '@/utils/format';
import { MORE_NAMES, STEERING_SPECS } from './steeringRequest';

/** The configuration that a saved run was generated with; the plan of sweeps stays as it is. */
export function configOfRun(run: SavedRunDetail, now: SteeringConfig): SteeringConfig {
  const { result, settings } = run;
  const number = (name: string, fallback: number | null) => {
    const value = settings[name];
    return typeof value === 'number' ? value : fallback;
  };
  return {
    modelId: result.model_id,
    prompt: result.prompt,
    layer: result.intervention_layer,
    temperature: number('temperature', defaultConfig.temperature),
    maxNewTokens: number('max_new_tokens', defaultConfig.maxNewTokens),
    seed: number('seed', defaultConfig.seed),
    more: changedSettings(settings),
    steered: result.features.map((feature) =>
      toSteered(feature, feature.layer === result.intervention_layer ? null : feature.layer),
    ),
    sweep: now.sweep,
  };
}

function changedSettings(settings: SavedRunDetail['settings']): SteeringConfig['more'] {
  const entries = MORE_NAMES.flatMap((name) => {
    const value = settings[name];
    const isPlain = ['string', 'number', 'boolean'].includes(typeof value);
    return isPlain && value !== STEERING_SPECS[name].default ? [[name, value] as const] : [];
  });
  return Object.fromEntries(entries) as SteeringConfig['more'];
}

/** The configuration with the features and the strengths of a preset. */
export function withPreset(config: SteeringConfig, preset: Preset): SteeringConfig {
  return {
    ...config,
    layer: preset.intervention_layer,
    temperature: preset.temperature,
    steered: preset.features.map((feature) =>
      toSteered({ ...feature, id: feature.feature_id }, feature.layer ?? null),
    ),
  };
}

interface Described {
  id: number;
  coefficient: number;
  unit?: Steered['unit'];
  method?: Steered['method'];
  only_active?: boolean;
}

function toSteered(feature: Described, layer: number | null): Steered {
  const { id, coefficient, unit = 'max_multiple', method = 'add', only_active } = feature;
  return {
    id,
    coefficient,
    unit,
    ...(method === 'add' ? {} : { method }),
    ...(only_active ? { onlyActive: true } : {}),
    ...(layer === null ? {} : { layer }),
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
    features: config.steered.map((s) => ({
      feature_id: s.id,
      coefficient: s.coefficient,
      unit: s.unit,
      method: s.method ?? 'add',
      only_active: s.onlyActive ?? false,
      layer: s.layer ?? null,
    })),
  };
}

/** Such as `steering_2features_layer14_1405`. */
export function suggestPreset(config: SteeringConfig, layer: number | null): string {
  const n = config.steered.length;
  const place = layer === null ? '' : `_layer${layer}`;
  return `steering_${n}feature${n === 1 ? '' : 's'}${place}_${clockTag(new Date())}`;
}
