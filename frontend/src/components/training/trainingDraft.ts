import { fields } from '@/services/generated/fields';
import type { FieldSpec } from '@/types/form.types';
import type { EncoderType } from '@/types/training.types';
import type { UrlPatch } from '@/utils/urlState';
import { type GridTexts, NO_GRID } from './gridVariants';
import { fieldNames } from './hyperparameterFields';

type Value = string | number | boolean | null;

/** What a person chose of the training's source; empty where the form may choose. */
export interface SourceChoice {
  dataset: string;
  model: string;
  layer: string;
  hookType: string;
}

/** The form as it stands in the page's address, where a reload and a shared link find it again. */
export interface TrainingDraft {
  encoderType: EncoderType;
  source: SourceChoice;
  /** Hyperparameters that differ from the API's defaults. */
  values: Partial<Record<(typeof fieldNames)[number], Value>>;
  sizes: string;
  grid: GridTexts;
}

const ENCODERS: readonly EncoderType[] = ['sparse', 'skip', 'transcoder'];
const PREFIX = 't_';
/** A setting that is switched off by being empty. */
const NONE = 'none';

const SOURCE_KEYS = {
  dataset: 't_dataset',
  model: 't_model',
  layer: 't_layer',
  hookType: 't_hook',
} as const;
const GRID_KEYS = { k: 't_each_k', seed: 't_each_seed', layer: 't_each_layer' } as const;

/** Reads the form from a query; what is absent, or no value of its field, takes its default. */
export function readDraft(search: string): TrainingDraft {
  const params = new URLSearchParams(search);
  const text = (key: string) => params.get(key) ?? '';
  const known = fieldNames.flatMap((name) => {
    const value = readValue(fields.Hyperparameters[name], params.get(PREFIX + name));
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    encoderType: ENCODERS.find((type) => type === params.get('t_encoder')) ?? 'sparse',
    source: {
      dataset: text(SOURCE_KEYS.dataset),
      model: text(SOURCE_KEYS.model),
      layer: text(SOURCE_KEYS.layer),
      hookType: text(SOURCE_KEYS.hookType),
    },
    values: Object.fromEntries(known),
    sizes: text('t_sizes'),
    grid: {
      k: params.get(GRID_KEYS.k) ?? NO_GRID.k,
      seed: params.get(GRID_KEYS.seed) ?? NO_GRID.seed,
      layer: params.get(GRID_KEYS.layer) ?? NO_GRID.layer,
    },
  };
}

/** The query that holds the form; defaults are left out, so that addresses stay short. */
export function draftPatch({ encoderType, source, values, sizes, grid }: TrainingDraft): UrlPatch {
  const changed = fieldNames.map((name) => {
    const value = values[name];
    const isDefault = value === undefined || value === fields.Hyperparameters[name].default;
    return [PREFIX + name, isDefault ? null : (value ?? NONE)] as const;
  });
  return {
    t_encoder: encoderType === 'sparse' ? null : encoderType,
    [SOURCE_KEYS.dataset]: source.dataset,
    [SOURCE_KEYS.model]: source.model,
    [SOURCE_KEYS.layer]: source.layer,
    [SOURCE_KEYS.hookType]: source.hookType,
    ...Object.fromEntries(changed),
    t_sizes: sizes,
    [GRID_KEYS.k]: grid.k,
    [GRID_KEYS.seed]: grid.seed,
    [GRID_KEYS.layer]: grid.layer,
  };
}

function readValue(spec: FieldSpec, text: string | null): Value | undefined {
  if (text === null) return undefined;
  if (text === NONE && !spec.options?.includes(NONE)) return null;
  if (spec.type === 'boolean') return text === 'true';
  if (spec.type === 'integer' || spec.type === 'number') {
    const number = Number(text);
    return Number.isFinite(number) ? number : undefined;
  }
  if (spec.options) return spec.options.find((option) => String(option) === text);
  return text;
}
