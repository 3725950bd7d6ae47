import { everywhere, type SteeringConfig, type Where } from '@/stores/steeringStore';
import type { SteeringGenerate } from '@/types/steering.types';

const MAX_POSITIONS = 2048;
/** Stands for the end of the text where only the beginning of a window was given. */
const NO_END = 1_000_000;
const MAX_THRESHOLD = 1_000_000;

/** `3, 7-9` → the positions, each once and in order; null when something in it is none. */
export function parsePositions(text: string): number[] | null {
  const found = new Set<number>();
  for (const word of text.split(/[\s,;]+/).filter((part) => part !== '')) {
    const [, first, last = first] = /^(\d{1,7})(?:-(\d{1,7}))?$/.exec(word) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (first === undefined || to < from || to - from >= MAX_POSITIONS) return null;
    for (let place = from; place <= to; place += 1) found.add(place);
  }
  return found.size > MAX_POSITIONS ? null : [...found].sort((a, b) => a - b);
}

/** `[3, 7, 8, 9]` → `3, 7-9`. */
export function writePositions(positions: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const place of positions) {
    const run = runs.at(-1);
    if (run && place === run[1] + 1) run[1] = place;
    else runs.push([place, place]);
  }
  return runs.map(([from, to]) => (from === to ? from : `${from}-${to}`)).join(', ');
}

type WhereErrors = Partial<Record<'positions' | 'from' | 'to' | 'threshold', string>>;

/** What is wrong in the fields of where features act; without entries it will be accepted. */
export function whereErrors({ positions, from, to, condition }: Where): WhereErrors {
  const isTurned = from !== null && to !== null && to < from;
  const found = {
    positions:
      parsePositions(positions) === null
        ? 'Whole numbers and ranges such as 3, 7-9; 2,048 places at most'
        : undefined,
    from: placeError(from),
    to: placeError(to) ?? (isTurned ? 'Not before the first position' : undefined),
    threshold: condition ? thresholdError(condition.threshold) : undefined,
  };
  return Object.fromEntries(Object.entries(found).filter(([, message]) => message !== undefined));
}

function placeError(place: number | null): string | undefined {
  if (place === null) return undefined;
  if (!Number.isInteger(place)) return 'Whole numbers only';
  if (place < 0) return 'At least 0';
  return place > NO_END ? 'At most 1,000,000' : undefined;
}

function thresholdError(threshold: number | null): string | undefined {
  if (threshold === null) return 'Type a number';
  if (threshold < 0) return 'At least 0: no feature is below it';
  return threshold > MAX_THRESHOLD ? 'At most 1,000,000' : undefined;
}

/** Whether a setting that is on unless it was changed is on. */
export function isOn(config: SteeringConfig, name: 'steer_prompt' | 'steer_generated'): boolean {
  return config.more?.[name] !== false;
}

/** How many of the limits are set, for the closed form. */
export function countLimits({ where, more }: SteeringConfig): number {
  const names = ['steer_prompt', 'steer_generated', 'exclude_special', 'mode'];
  const changed = names.filter((name) => more && name in more).length;
  const { positions, from, to, tokenIds, condition } = where;
  const limits = [
    positions.trim() !== '',
    from !== null || to !== null,
    tokenIds.length > 0,
    condition !== null,
  ];
  return changed + limits.filter(Boolean).length;
}

type Mask = Pick<SteeringGenerate, 'positions' | 'window' | 'token_ids'>;

/** What a request says of where features act; what limits nothing is left out. */
export function toMask({ positions, from, to, tokenIds }: Where): Mask {
  const places = parsePositions(positions) ?? [];
  return {
    ...(places.length > 0 ? { positions: places } : {}),
    ...(from !== null || to !== null ? { window: [from ?? 0, to ?? NO_END] } : {}),
    ...(tokenIds.length > 0 ? { token_ids: [...tokenIds] } : {}),
  };
}

/** The feature that decides where others act, as a request says it. */
export function toCondition({ condition }: Where): Pick<SteeringGenerate, 'condition'> {
  if (condition === null) return {};
  return { condition: { feature_id: condition.id, threshold: condition.threshold ?? 0 } };
}

/** Where features act by the settings and the condition that were kept. */
export function whereOf(
  settings: Readonly<Record<string, unknown>>,
  condition: { feature_id: number; threshold?: number } | null | undefined,
): Where {
  const numbers = (name: string) => {
    const value = settings[name];
    return Array.isArray(value) ? value.filter((item) => typeof item === 'number') : [];
  };
  const [from = null, to = null] = numbers('window');
  return {
    positions: writePositions(numbers('positions')),
    from,
    to: to === NO_END ? null : to,
    tokenIds: numbers('token_ids'),
    condition: condition
      ? { id: condition.feature_id, threshold: condition.threshold ?? 0 }
      : everywhere.condition,
  };
}
