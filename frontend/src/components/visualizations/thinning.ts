/** One measured value; `x` ascends within a series. */
export interface Point {
  x: number;
  y: number;
}

/**
 * Reduce a series to what a chart of `widthPixels` can show, losing no spike.
 *
 * Points are grouped by pixel column; of each column the first, lowest, highest and last point stay,
 * in their order. A line drawn through them covers the same pixels as one through all points
 * (M4 aggregation, Jugel et al. 2014). Points with a value that is not finite are dropped.
 *
 * @param points - Ascending in `x`.
 * @param widthPixels - Plot width; at most four points per pixel remain.
 */
export function thinPoints(points: readonly Point[], widthPixels: number): Point[] {
  const finite = points.filter((p) => Number.isFinite(p.x) && Number.isFinite(p.y));
  const columns = Math.max(1, Math.floor(widthPixels));
  const first = finite[0];
  const last = finite.at(-1);
  if (!first || !last || finite.length <= columns * 4) return finite;

  const pixelsPerUnit = last.x === first.x ? 0 : columns / (last.x - first.x);
  const groups: Column[] = [];
  for (const point of finite) {
    const pixel = Math.min(columns - 1, Math.floor((point.x - first.x) * pixelsPerUnit));
    const current = groups.at(-1);
    if (current?.pixel === pixel) extendColumn(current, point);
    else groups.push({ pixel, first: point, low: point, high: point, last: point });
  }
  return groups.flatMap(columnPoints);
}

interface Column {
  pixel: number;
  first: Point;
  low: Point;
  high: Point;
  last: Point;
}

function extendColumn(column: Column, point: Point): void {
  if (point.y < column.low.y) column.low = point;
  if (point.y > column.high.y) column.high = point;
  column.last = point;
}

function columnPoints({ first, low, high, last }: Column): Point[] {
  const inner = low.x <= high.x ? [low, high] : [high, low];
  return [...new Set([first, ...inner, last])];
}

/** Index of the point whose `x` is nearest to `x`; -1 for an empty series. */
export function nearestIndex(points: readonly Point[], x: number): number {
  let nearest = -1;
  let distance = Infinity;
  points.forEach((point, index) => {
    const candidate = Math.abs(point.x - x);
    if (candidate < distance) {
      nearest = index;
      distance = candidate;
    }
  });
  return nearest;
}
