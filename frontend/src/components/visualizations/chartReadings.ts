import type { DrawnSeries, Series } from './lineChartLayout';
import { formatValue } from './numbers';
import { nearestIndex } from './thinning';

export interface Reading {
  name: string;
  color: string;
  x: number;
  y: number;
}

/** Of each series the drawn point nearest to `x`. */
export function readingsAt(drawn: readonly DrawnSeries[], x: number): Reading[] {
  return drawn.flatMap(({ name, color, points }) => {
    const point = points[nearestIndex(points, x)];
    return point ? [{ name, color, x: point.x, y: point.y }] : [];
  });
}

/**
 * Where a key moves the cursor, in data units: arrows by one drawn point of the first series, Home
 * and End to its ends; `null` for any other key.
 */
export function stepCursor(
  key: string,
  drawn: readonly DrawnSeries[],
  cursor: number | null,
): number | null {
  const points = drawn.find((s) => s.points.length > 0)?.points;
  if (!points) return null;
  const last = points.length - 1;
  const current = cursor === null ? last + 1 : nearestIndex(points, cursor);
  const targets: Record<string, number> = {
    ArrowLeft: Math.max(0, current - 1),
    ArrowRight: Math.min(last, current + 1),
    Home: 0,
    End: last,
  };
  const target = targets[key];
  return target === undefined ? null : (points[target]?.x ?? null);
}

/** The chart in one sentence, for readers who do not see it: each line's newest value. */
export function describeSeries(
  series: readonly Series[],
  xLabel: string | undefined,
  yLabel: string | undefined,
): string {
  const parts = series.map(({ name, points }) => {
    const last = points[points.length - 1];
    if (!last) return `${name}: no data`;
    return `${name}: ${formatValue(last.y)} at ${xLabel ?? 'x'} ${formatValue(last.x)}`;
  });
  return `Line chart${yLabel ? ` of ${yLabel}` : ''}. ${parts.join('; ')}`;
}
