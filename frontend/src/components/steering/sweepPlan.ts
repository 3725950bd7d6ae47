import type { SweepPlan, SteeringConfig } from '@/stores/steeringStore';
import { CONTROLS } from '@/stores/steeringUrl';
import type { HookType, SteeringMethod, SweepRequest } from '@/types/steering.types';
import { METHODS } from './methods';
import { blockingReason, promptError, toSettings, withoutMode } from './steeringRequest';

/** Methods that a sweep has strengths for. */
const SWEPT_METHODS = ['add', 'clamp', 'floor', 'scale', 'project'] as const;
const SWEPT_UNITS = ['max_multiple', 'activation', 'norm_fraction'] as const;
/** The strength at which a method changes nothing; “Clamp” and “Raise to” have none. */
const NEUTRAL: Readonly<Record<string, number>> = { add: 0, scale: 1, project: 1 };
export const MAX_SWEPT = 8;
const MAX_STRENGTHS = 32;
const MAX_PROMPTS = 16;

/** `-2, 0.5 1` → the numbers; null when something in it is none. */
export function parseNumbers(text: string): number[] | null {
  const words = text.split(/[\s,;]+/).filter((word) => word !== '');
  const numbers = words.map(Number);
  return numbers.every(Number.isFinite) ? numbers : null;
}

/** What is wrong with typed numbers, every one between two bounds; undefined when all will do. */
export function numbersError(text: string, largest: number): string | undefined {
  const numbers = parseNumbers(text);
  if (numbers === null) return 'Numbers with commas between them';
  const bound = largest.toLocaleString('en-US');
  return numbers.some((number) => Math.abs(number) > largest)
    ? `Each between −${bound} and ${bound}`
    : undefined;
}

export const LARGEST_STRENGTH = 1000;
const LARGEST_TARGET = 20;

/** What is wrong with typed KL targets. */
export function targetsError(text: string): string | undefined {
  return parseNumbers(text)?.includes(0)
    ? 'Not 0: its sign says which way to go'
    : numbersError(text, LARGEST_TARGET);
}

/** What is wrong with the number of samples. */
export function samplesError(samples: number | null): string | undefined {
  if (samples === null) return 'Type a number';
  return Number.isInteger(samples) && samples >= 1 && samples <= 16
    ? undefined
    : 'A whole number from 1 to 16';
}

/** The prompts of a plan: its lines, or the one prompt of the comparison. */
export function promptsOf(plan: SweepPlan, prompt: string): string[] {
  const lines = plan.prompts.split('\n').filter((line) => line.trim() !== '');
  return lines.length > 0 ? lines : [prompt].filter((line) => line.trim() !== '');
}

/** What keeps a sweep from being started, as a sentence; null when ready. */
export function sweepReason(config: SteeringConfig): string | null {
  const { sweep, steered } = config;
  const strengths = parseNumbers(sweep.strengths);
  const targets = parseNumbers(sweep.klTargets);
  const prompts = promptsOf(sweep, config.prompt);
  if (steered.length > MAX_SWEPT) return `At most ${MAX_SWEPT} features are swept at once.`;
  if (steered.some(({ method }) => method === 'ablate')) {
    return '“Ablate” has no strength to sweep: choose another method.';
  }
  if (prompts.length === 0) return 'Type at least one prompt.';
  if (prompts.length > MAX_PROMPTS) return `At most ${MAX_PROMPTS} prompts at once.`;
  if (strengths === null) return 'Strengths are numbers with commas between them.';
  if (targets === null || targets.includes(0)) {
    return 'KL targets are numbers other than 0 with commas between them.';
  }
  if (targets.length > 0 && steered.some(({ method }) => (method ?? 'add') !== 'add')) {
    return 'KL targets can be met by the method “Add” only.';
  }
  if (targets.length === 0) {
    if (strengths.length === 0) return 'Give at least one strength, or a KL target.';
    const idle = methodsOf(config).find((method) => strengthsFor(method, strengths).length === 0);
    if (idle) {
      return `“${METHODS[idle].label}” changes nothing at ${NEUTRAL[idle]}: give another strength.`;
    }
  }
  if (strengths.length + targets.length > MAX_STRENGTHS) {
    return `At most ${MAX_STRENGTHS} strengths at once.`;
  }
  if (numbersError(sweep.strengths, LARGEST_STRENGTH) || targetsError(sweep.klTargets)) {
    return 'Correct the marked strengths.';
  }
  if (samplesError(sweep.nSamples)) return 'Samples per prompt: 1 to 16.';
  if (prompts.some((prompt) => promptError(prompt))) {
    return 'A prompt is longer than 20,000 characters.';
  }
  const compared = {
    ...config,
    prompt: prompts[0] ?? '',
    steered: steered.map(awake),
    more: withoutMode(config.more),
  };
  return blockingReason(compared);
}

/** A sweep has strengths of its own, so one of 0 on the card is no hindrance. */
function awake<T extends { coefficient: number }>(feature: T): T {
  return { ...feature, coefficient: 1 };
}

function methodsOf(config: SteeringConfig): SteeringMethod[] {
  return config.steered.map(({ method }) => method ?? 'add');
}

/** The strengths at which a method changes something, each once. */
function strengthsFor(method: SteeringMethod, strengths: readonly number[]): number[] {
  return [...new Set(strengths)].filter((strength) => strength !== NEUTRAL[method]);
}

/** How many texts a sweep generates at most, controls left out. */
export function countTexts(config: SteeringConfig): number {
  const { sweep } = config;
  const strengths = parseNumbers(sweep.strengths) ?? [];
  const targets = new Set(parseNumbers(sweep.klTargets)).size;
  const rows = methodsOf(config).map(
    (method) => 1 + strengthsFor(method, strengths).length + targets,
  );
  const prompts = promptsOf(sweep, config.prompt).length;
  return prompts * rows.reduce((sum, count) => sum + count, 0) * (sweep.nSamples ?? 0);
}

/** The request of a configuration for which `sweepReason` is null. */
export function toSweep(config: SteeringConfig): SweepRequest {
  const { sweep } = config;
  return {
    ...toSettings(config),
    prompts: promptsOf(sweep, config.prompt),
    features: config.steered.map(({ id, unit, method, onlyActive, layer, hookType }) => ({
      id,
      unit: SWEPT_UNITS.find((known) => known === unit) ?? 'max_multiple',
      method: SWEPT_METHODS.find((known) => known === (method ?? 'add')) ?? 'add',
      only_active: onlyActive ?? false,
      ...(layer === undefined ? {} : { layer }),
      ...(hookType === undefined ? {} : { hook_type: hookType as HookType }),
    })),
    strengths: parseNumbers(sweep.strengths) ?? [],
    kl_targets: parseNumbers(sweep.klTargets) ?? [],
    n_samples: sweep.nSamples ?? 1,
    select_by: sweep.selectBy,
    controls: CONTROLS.filter((name) => !sweep.without.includes(name)),
  };
}
