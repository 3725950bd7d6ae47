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
  const byStep = new Map([...known, ...news].map((point) => [point.step, point]));
  const points = [...byStep.values()].sort((a, b) => a.step - b.step);
  if (points.length <= limit) return points;
  const half = Math.floor(points.length / 2);
  return points.filter((_, index) => index >= half || index % 2 === 0);
}

/** One measured quantity of a curve, without the steps where it was not measured. */
export function pickSeries(
  points: readonly SeriesPoint[],
  key: MetricKey,
): { x: number; y: number }[] {
  return points.flatMap((point) => {
    const y = point[key];
    return typeof y === 'number' ? [{ x: point.step, y }] : [];
  });
}
