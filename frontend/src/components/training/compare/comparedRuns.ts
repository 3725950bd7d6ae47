import type { Training } from '@/types/training.types';
import { hookShortName } from '@/utils/hookNames';
import { navigate } from '@/utils/urlState';

/** As many lines as a chart keeps apart. */
export const MAX_RUNS = 6;
const KEY = 'runs';

/** Hues that stay apart in the common colour blindnesses and on dark ground, after Okabe and Ito. */
const COLORS = ['#34d399', '#56b4e9', '#e69f00', '#cc79a7', '#f0e442', '#b8c4d6'] as const;

/** The ids in an address; unknown trainings are left out by whoever shows them. */
export function readRuns(text: string | null): string[] {
  return [...new Set((text ?? '').split(',').filter(Boolean))].slice(0, MAX_RUNS);
}

/** Adds a training, or takes it out when it is there; above the limit the oldest goes. */
export function toggledRuns(ids: readonly string[], id: string): string[] {
  if (ids.includes(id)) return ids.filter((other) => other !== id);
  return [...ids, id].slice(-MAX_RUNS);
}

/** Changes the runs of the address. */
export function toggleRun(id: string): void {
  const ids = readRuns(new URLSearchParams(window.location.search).get(KEY));
  navigate({ [KEY]: toggledRuns(ids, id).join(',') || null }, 'replace');
}

export interface ComparedRun {
  training: Training;
  /** `A`, `B`, …: names often differ in nothing. */
  letter: string;
  color: string;
}

/** The chosen trainings in the order in which they were chosen. */
export function comparedRuns(
  ids: readonly string[],
  trainings: readonly Training[],
): ComparedRun[] {
  return ids
    .flatMap((id) => trainings.filter((training) => training.id === id))
    .map((training, index) => ({
      training,
      letter: String.fromCharCode('A'.charCodeAt(0) + index),
      color: COLORS[index] ?? COLORS[0],
    }));
}

export interface Difference {
  name: string;
  /** In the order of the runs. */
  values: string[];
}

/** What the runs do differently; settings that all share are left out. */
export function differences(runs: readonly ComparedRun[]): Difference[] {
  const settings = runs.map(({ training }) => settingsOf(training));
  const names = [...new Set(settings.flatMap((values) => Object.keys(values)))];
  return names
    .map((name) => ({ name, values: settings.map((values) => values[name] ?? '–') }))
    .filter(({ values }) => new Set(values).size > 1);
}

function settingsOf(training: Training): Record<string, string> {
  const { hyperparameters, model_name, dataset_name, layer, hook_type, encoder_type } = training;
  const all = {
    model: model_name,
    dataset: dataset_name,
    layer,
    place: hookShortName(hook_type),
    encoder: encoder_type,
    latents: training.n_latents,
    ...hyperparameters,
  };
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, shown(value)]));
}

function shown(value: unknown): string {
  if (value === null || value === undefined) return 'automatic';
  if (typeof value === 'string') return value;
  return JSON.stringify(value);
}

/** One column of numbers for each run, headed by its letter. */
export function runColumns(runs: readonly ComparedRun[]) {
  return runs.map(({ letter }) => ({ label: letter, isNumber: true, className: 'px-3' }));
}
