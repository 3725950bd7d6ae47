import { scaleLinear, scaleLog } from 'd3-scale';

import type { Point } from './thinning';

export type AxisKind = 'linear' | 'log';

/** Maps a value to a pixel; `invert` maps back. */
export interface AxisScale {
  (value: number): number;
  invert: (pixel: number) => number;
  ticks: (count: number) => number[];
  domain: () => number[];
}

/** Smallest and largest finite value, or `null` where there is none. */
export function extentOf(values: Iterable<number>): [number, number] | null {
  const finite = [...values].filter(Number.isFinite);
  if (finite.length === 0) return null;
  const smaller = (a: number, b: number) => Math.min(a, b);
  const larger = (a: number, b: number) => Math.max(a, b);
  return [finite.reduce(smaller), finite.reduce(larger)];
}

/** Range of `y` over all series; a log axis sees only positive values. */
export function yExtent(series: readonly (readonly Point[])[], kind: AxisKind) {
  const values = series.flatMap((points) => points.map((p) => p.y));
  return extentOf(kind === 'log' ? values.filter((v) => v > 0) : values);
}

/** Widen a range without width, so that a constant series sits in its chart. */
export function widen([low, high]: [number, number], kind: AxisKind): [number, number] {
  if (low !== high) return [low, high];
  if (kind === 'log') return [low / 2, high * 2];
  // Counts that stay at zero are not between minus one and one.
  if (low === 0) return [0, 1];
  const margin = Math.abs(low) * 0.1;
  return [low - margin, high + margin];
}

/** A scale from values to pixels, its ends at round numbers when `nice`. */
export function axisScale(
  domain: [number, number],
  range: [number, number],
  kind: AxisKind = 'linear',
  nice = false,
): AxisScale {
  const scale = kind === 'log' ? scaleLog() : scaleLinear();
  scale.domain(widen(domain, kind)).range(range);
  if (nice) scale.nice();
  return scale;
}

/**
 * Tick positions; a log axis keeps the powers of ten, and with few of them the 1, 2 and 5 of each.
 */
export function axisTicks(scale: AxisScale, kind: AxisKind, count: number): number[] {
  const ticks = scale.ticks(count);
  if (kind === 'linear' || ticks.length <= count + 2) return ticks;
  const decades = ticks.filter((tick) => leadingDigit(tick) === 1);
  if (decades.length < 3) return ticks.filter((tick) => [1, 2, 5].includes(leadingDigit(tick)));
  const step = Math.max(1, Math.ceil(decades.length / count));
  return decades.filter((_, index) => index % step === 0);
}

function leadingDigit(value: number): number {
  return Number(value.toExponential(6).charAt(0));
}
