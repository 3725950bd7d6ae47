import { fields } from '@/services/generated/fields';
import type { FieldSpec } from '@/types/form.types';
import {
  defaultConfig,
  defaultSweep,
  everywhere,
  MAX_STEERED,
  type Steered,
  type SteeringConfig,
  type SweepPlan,
  type Where,
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
  stop: 'steer_stop',
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

const WHERE_KEYS = {
  positions: 'steer_positions',
  from: 'steer_from',
  to: 'steer_to',
  tokenIds: 'steer_tokens',
  condition: 'steer_if',
} as const;

/** Prefix of the settings that were changed from the API's defaults. */
const MORE = 's_';

/** The configuration that an address holds, or null when it holds nothing of one. */
export function readConfig(search: string): SteeringConfig | null {
  const params = new URLSearchParams(search);
  const known = [KEYS, SWEEP_KEYS, WHERE_KEYS].flatMap((keys) => Object.values<string>(keys));
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
    stop: readTexts(params.get(KEYS.stop)),
    ...readMore(params),
    where: readWhere(params),
    sweep: readSweep(params),
  };
}

/** `["\\n","END"]` → its texts: a stop text may hold any character, so no separator would do. */
function readTexts(text: string | null): string[] {
  try {
    const read: unknown = JSON.parse(text ?? '[]');
    const texts: readonly unknown[] = Array.isArray(read) ? read : [];
    return texts.filter((one) => typeof one === 'string' && one !== '') as string[];
  } catch {
    return [];
  }
}

function readWhere(params: URLSearchParams): Where {
  const number = (key: string) => {
    const text = params.get(key)?.trim();
    return text && Number.isFinite(Number(text)) ? Number(text) : null;
  };
  const ids = (params.get(WHERE_KEYS.tokenIds) ?? '').split(',');
  return {
    positions: params.get(WHERE_KEYS.positions) ?? everywhere.positions,
    from: number(WHERE_KEYS.from),
    to: number(WHERE_KEYS.to),
    tokenIds: ids.filter((id) => /^\d{1,9}$/.test(id)).map(Number),
    condition: readCondition(params.get(WHERE_KEYS.condition) ?? ''),
  };
}

/** `12:0.5` → feature 12 above 0.5. */
function readCondition(text: string): Where['condition'] {
  const [, id, threshold] = /^(\d+)(?::(-?\d*(?:\.\d+)?))?$/.exec(text) ?? [];
  if (id === undefined) return null;
  return { id: Number(id), threshold: threshold ? Number(threshold) : null };
}

function wherePatch({ positions, from, to, tokenIds, condition }: Where): UrlPatch {
  return {
    [WHERE_KEYS.positions]: positions || null,
    [WHERE_KEYS.from]: from,
    [WHERE_KEYS.to]: to,
    [WHERE_KEYS.tokenIds]: tokenIds.join(',') || null,
    [WHERE_KEYS.condition]: condition && `${condition.id}:${condition.threshold ?? ''}`,
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

/** `12:2.5:m,7:-1:a@3.mlp:clamp` (at the mlp of layer 3) → the features; entries that say nothing sensible are left out. */
function readSteered(text: string): Steered[] {
  const entries = [
    ...text.matchAll(
      /(?:^|,)(\d+):(-?\d+(?:\.\d+)?):([mank])(?:@(\d*)(?:\.([a-z_]+))?)?(?::([a-z]*)(:active)?)?(?=,|$)/g,
    ),
  ];
  const steered = entries.flatMap(([, id, coefficient, letter, layer, place, name, active]) => {
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
        ...(place ? { hookType: place } : {}),
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
    [KEYS.stop]: config.stop.length > 0 ? JSON.stringify(config.stop) : null,
    ...morePatch(config.more),
    ...wherePatch(config.where),
    ...sweepPatch(config.sweep),
  };
}

function readMore(params: URLSearchParams): Pick<SteeringConfig, 'more'> {
  const entries = [...params].flatMap(([key, text]) => {
    const name = key.slice(MORE.length);
    const value = key.startsWith(MORE) ? valueOf(name, text) : undefined;
    return value === undefined ? [] : [[name, value] as const];
  });
  return entries.length === 0 ? {} : { more: Object.fromEntries(entries) };
}

const SPECS: Readonly<Record<string, FieldSpec>> = fields.SteeringGenerate;

/** A setting's value by its kind in the API; undefined for a name or a value that it has not. */
function valueOf(name: string, text: string): string | number | boolean | undefined {
  const spec = SPECS[name];
  if (spec?.type === 'boolean') return text === 'true' || (text === 'false' ? false : undefined);
  if (spec?.type === 'number' || spec?.type === 'integer') return Number(text);
  return spec?.type === 'string' && (spec.options?.includes(text) ?? true) ? text : undefined;
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
  const { id, coefficient, unit, method, onlyActive, layer, hookType } = entry;
  const letter = Object.keys(UNITS).find((key) => UNITS[key] === unit) ?? 'm';
  const edit = method || onlyActive ? `:${method ?? ''}${onlyActive ? ':active' : ''}` : '';
  const isElsewhere = layer !== undefined || hookType !== undefined;
  const place = isElsewhere ? `@${layer ?? ''}${hookType ? `.${hookType}` : ''}` : '';
  return `${id}:${coefficient}:${letter}${place}${edit}`;
}
