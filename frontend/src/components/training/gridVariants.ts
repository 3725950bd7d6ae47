import type { GridVariant } from '@/types/training.types';

/** Further values that are trained with the form's, as they are typed: numbers with commas. */
export interface GridTexts {
  k: string;
  seed: string;
  layer: string;
}

export const NO_GRID: GridTexts = { k: '', seed: '', layer: '' };
export const MOST_VARIANTS = 16;
export const UNREADABLE_NUMBERS = 'Different whole numbers, with commas between';

/** Different whole numbers with commas or spaces between; null where the text says anything else. */
export function parseNumbers(text: string): number[] | null {
  const numbers = text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map(Number);
  const isWhole = numbers.every((number) => Number.isInteger(number) && number >= 0);
  return isWhole && new Set(numbers).size === numbers.length ? numbers : null;
}

/** Every combination of what was typed; empty where nothing was, null where it cannot be read. */
export function variantsOf(texts: GridTexts): GridVariant[] | null {
  const [ks, seeds, layers] = [texts.k, texts.seed, texts.layer].map(parseNumbers);
  if (!ks || !seeds || !layers) return null;
  if (ks.length + seeds.length + layers.length === 0) return [];
  const each = <T>(values: T[]): (T | undefined)[] => (values.length ? values : [undefined]);
  return each(layers).flatMap((layer) =>
    each(ks).flatMap((k) => each(seeds).map((seed) => variant(layer, k, seed))),
  );
}

function variant(layer?: number, k?: number, seed?: number): GridVariant {
  const parts = [
    layer !== undefined && `layer ${layer}`,
    k !== undefined && `k ${k}`,
    seed !== undefined && `seed ${seed}`,
  ];
  return {
    name: parts.filter(Boolean).join(', '),
    ...(layer !== undefined && { layer }),
    hyperparameters: { ...(k !== undefined && { k }), ...(seed !== undefined && { seed }) },
  };
}

/** Why the combinations cannot be trained in one run; undefined where they can, or are none. */
export function gridProblem(variants: GridVariant[] | null): string | undefined {
  if (variants === null) return UNREADABLE_NUMBERS;
  if (variants.length === 1) return 'One more value at least: a single one belongs into the form';
  if (variants.length > MOST_VARIANTS)
    return `At most ${MOST_VARIANTS} dictionaries share a run; these are ${variants.length}`;
  return undefined;
}
