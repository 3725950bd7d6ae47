import type { MetricPoint } from '@/types/training.types';
import { MAX_POINTS } from './constants';

/** A point as an event carries it: a step and whatever was measured there. */
export type SeriesPoint = Pick<MetricPoint, 'step'> & Partial<MetricPoint>;
export type MetricKey = Exclude<keyof MetricPoint, 'step' | 'timestamp'>;

export function isMetricPoint(point: Record<string, unknown>): point is SeriesPoint {
  return typeof point.step === 'number';
}

/**
 * Joins new points to a curve, in order of their step; a step measured again is replaced.
 *
 * Above the limit every second point of the older half goes, so that a curve keeps its whole span
 * and its newest part stays exact.
 */
export function mergePoints(
  known: readonly SeriesPoint[],
  news: readonly SeriesPoint[],
  limit = MAX_POINTS,
): SeriesPoint[] {
  const points = isAscending(news, known.at(-1)?.step) ? [...known, ...news] : merged(known, news);
  if (points.length <= limit) return points;
  const half = Math.floor(points.length / 2);
  return points.filter((_, index) => index >= half || index % 2 === 0);
}

/** Whether the points go on, step by step, from where a curve ends: all but those seen twice. */
function isAscending(news: readonly SeriesPoint[], end = -Infinity): boolean {
  return news.every(({ step }, index) => step > (news[index - 1]?.step ?? end));
}

function merged(known: readonly SeriesPoint[], news: readonly SeriesPoint[]): SeriesPoint[] {
  const byStep = new Map([...known, ...news].map((point) => [point.step, point]));
  return [...byStep.values()].sort((a, b) => a.step - b.step);
}

/** One measured quantity of a curve, without the steps where it was not measured. */
export function pickSeries(
  points: readonly SeriesPoint[],
  key: MetricKey,
): { x: number; y: number }[] {
  const series: { x: number; y: number }[] = [];
  // A loop: an array for every point would be most of the cost of a long curve.
  for (const point of points) {
    const y = point[key];
    if (typeof y === 'number') series.push({ x: point.step, y });
  }
  return series;
}
