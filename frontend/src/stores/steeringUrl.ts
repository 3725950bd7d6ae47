import { defaultConfig, MAX_STEERED, type Steered, type SteeringConfig } from './steeringStore';
import type { CoefficientUnit } from '@/types/steering.types';
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

/** The configuration that an address holds, or null when it holds nothing of one. */
export function readConfig(search: string): SteeringConfig | null {
  const params = new URLSearchParams(search);
  if (!Object.values(KEYS).some((key) => params.has(key))) return null;
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
  };
}

/** `12:2.5:m,7:-1:a` → the features; entries that say nothing sensible are left out. */
function readSteered(text: string): Steered[] {
  const entries = [...text.matchAll(/(?:^|,)(\d+):(-?\d+(?:\.\d+)?):([man])(?=,|$)/g)];
  const steered = entries.flatMap(([, id, coefficient, letter]) => {
    const unit = UNITS[letter ?? ''];
    return unit ? [{ id: Number(id), coefficient: Number(coefficient), unit }] : [];
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
  };
}

function writeSteered({ id, coefficient, unit }: Steered): string {
  const letter = Object.keys(UNITS).find((key) => UNITS[key] === unit) ?? 'm';
  return `${id}:${coefficient}:${letter}`;
}
