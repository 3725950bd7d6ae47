import {
  defaultConfig,
  defaultSweep,
  MAX_STEERED,
  type Steered,
  type SteeringConfig,
  type SweepPlan,
} from './steeringStore';
import type {
  CoefficientUnit,
  ControlName,
  SteeringMethod,
  SweepCriterion,
} from '@/types/steering.types';
import type { UrlPatch } from '@/utils/urlState';

const KEYS = {
  steered: 'steer',
  modelId: 'steer_model',
  prompt: 'prompt',
  layer: 'steer_layer',
  temperature: 'temperature',
  maxNewTokens: 'max_tokens',
  seed: 'seed',
} as const;

/** Units by the letter that stands for them in an address. */
const UNITS: Record<string, CoefficientUnit> = {
  m: 'max_multiple',
  a: 'activation',
  n: 'norm_fraction',
  k: 'kl',
};

const METHODS: readonly SteeringMethod[] = ['clamp', 'floor', 'scale', 'ablate', 'project'];

const SWEEP_KEYS = {
  prompts: 'sweep_prompts',
  strengths: 'sweep_strengths',
  klTargets: 'sweep_kl',
  nSamples: 'sweep_samples',
  selectBy: 'sweep_by',
  without: 'sweep_without',
} as const;
export const CRITERIA: readonly SweepCriterion[] = ['balance', 'activation', 'promoted_share'];
export const CONTROLS: readonly ControlName[] = [
  'random_direction',
  'matched_feature',
  'opposite',
  'prompt',
  'diffmean',
];

/** Prefix of the settings that were changed from the API's defaults. */
const MORE = 's_';

/** The configuration that an address holds, or null when it holds nothing of one. */
export function readConfig(search: string): SteeringConfig | null {
  const params = new URLSearchParams(search);
  const known = [...Object.values(KEYS), ...Object.values(SWEEP_KEYS)];
  if (!known.some((key) => params.has(key))) return null;
  const number = (key: string, fallback: number | null) => {
    const value = Number(params.get(key) ?? Number.NaN);
    return Number.isFinite(value) ? value : fallback;
  };
  return {
    steered: readSteered(params.get(KEYS.steered) ?? ''),
    modelId: params.get(KEYS.modelId),
    prompt: params.get(KEYS.prompt) ?? '',
    layer: params.has(KEYS.layer) ? number(KEYS.layer, 0) : null,
    temperature: number(KEYS.temperature, defaultConfig.temperature),
    maxNewTokens: number(KEYS.maxNewTokens, defaultConfig.maxNewTokens),
    seed: number(KEYS.seed, defaultConfig.seed),
    ...readMore(params),
    sweep: readSweep(params),
  };
}

function readSweep(params: URLSearchParams): SweepPlan {
  const text = (name: 'prompts' | 'strengths' | 'klTargets') =>
    params.get(SWEEP_KEYS[name]) ?? defaultSweep[name];
  const samples = Number(params.get(SWEEP_KEYS.nSamples) ?? defaultSweep.nSamples);
  const without = (params.get(SWEEP_KEYS.without) ?? '').split(',');
  return {
    prompts: text('prompts'),
    strengths: text('strengths'),
    klTargets: text('klTargets'),
    nSamples: Number.isFinite(samples) ? samples : defaultSweep.nSamples,
    selectBy:
      CRITERIA.find((name) => name === params.get(SWEEP_KEYS.selectBy)) ?? defaultSweep.selectBy,
    without: CONTROLS.filter((name) => without.includes(name)),
  };
}

function sweepPatch(plan: SweepPlan): UrlPatch {
  const changed = (name: Exclude<keyof SweepPlan, 'without'>) =>
    plan[name] === defaultSweep[name] ? null : plan[name];
  return {
    [SWEEP_KEYS.prompts]: changed('prompts'),
    [SWEEP_KEYS.strengths]: changed('strengths'),
    [SWEEP_KEYS.klTargets]: changed('klTargets'),
    [SWEEP_KEYS.nSamples]: changed('nSamples'),
    [SWEEP_KEYS.selectBy]: changed('selectBy'),
    [SWEEP_KEYS.without]: plan.without.join(',') || null,
  };
}

/** `12:2.5:m,7:-1:a@3:clamp` (at layer 3) → the features; entries that say nothing sensible are left out. */
function readSteered(text: string): Steered[] {
  const entries = [
    ...text.matchAll(
      /(?:^|,)(\d+):(-?\d+(?:\.\d+)?):([mank])(?:@(\d+))?(?::([a-z]*)(:active)?)?(?=,|$)/g,
    ),
  ];
  const steered = entries.flatMap(([, id, coefficient, letter, layer, name, active]) => {
    const unit = UNITS[letter ?? ''];
    const method = METHODS.find((known) => known === name);
    if (!unit) return [];
    return [
      {
        id: Number(id),
        coefficient: Number(coefficient),
        unit,
        ...(method ? { method } : {}),
        ...(active ? { onlyActive: true } : {}),
        ...(layer ? { layer: Number(layer) } : {}),
      },
    ];
  });
  return [...new Map(steered.map((entry) => [entry.id, entry])).values()].slice(0, MAX_STEERED);
}

/** The query that holds the configuration; defaults are left out. */
export function configPatch(config: SteeringConfig): UrlPatch {
  const changed = (name: 'temperature' | 'maxNewTokens' | 'seed') =>
    config[name] === defaultConfig[name] ? null : config[name];
  return {
    [KEYS.steered]: config.steered.map(writeSteered).join(',') || null,
    [KEYS.modelId]: config.modelId,
    [KEYS.prompt]: config.prompt || null,
    [KEYS.layer]: config.layer,
    [KEYS.temperature]: changed('temperature'),
    [KEYS.maxNewTokens]: changed('maxNewTokens'),
    [KEYS.seed]: changed('seed'),
    ...morePatch(config.more),
    ...sweepPatch(config.sweep),
  };
}

function readMore(params: URLSearchParams): Pick<SteeringConfig, 'more'> {
  const entries = [...params].filter(([key]) => key.startsWith(MORE));
  if (entries.length === 0) return {};
  return { more: Object.fromEntries(entries.map(([key, text]) => [key.slice(2), valueOf(text)])) };
}

function valueOf(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

/** Every such setting that the address or the configuration has; null removes it. */
function morePatch(more: SteeringConfig['more']): UrlPatch {
  const old = [...new URLSearchParams(window.location.search).keys()].filter((key) =>
    key.startsWith(MORE),
  );
  return {
    ...Object.fromEntries(old.map((key) => [key, null])),
    ...Object.fromEntries(Object.entries(more ?? {}).map(([name, v]) => [MORE + name, v])),
  };
}

function writeSteered(entry: Steered): string {
  const { id, coefficient, unit, method, onlyActive, layer } = entry;
  const letter = Object.keys(UNITS).find((key) => UNITS[key] === unit) ?? 'm';
  const edit = method || onlyActive ? `:${method ?? ''}${onlyActive ? ':active' : ''}` : '';
  const place = layer === undefined ? '' : `@${layer}`;
  return `${id}:${coefficient}:${letter}${place}${edit}`;
}
