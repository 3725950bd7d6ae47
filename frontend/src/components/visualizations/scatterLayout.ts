import { axisScale, axisTicks, type AxisKind, type AxisScale } from './chartScales';
import type { Margins, Tick } from './lineChartLayout';

/** A rectangle in data units. */
export interface Area {
  x: [number, number];
  y: [number, number];
}

/** The points by cells of the screen, so that the one under the pointer is found at once. */
export interface PointGrid {
  columns: number;
  /** Where the points of a cell begin in `indices`; one entry more than cells. */
  starts: Int32Array;
  indices: Int32Array;
}

export interface ScatterLayout {
  x: AxisScale;
  y: AxisScale;
  xTicks: Tick[];
  yTicks: Tick[];
  /** Pixels of each point; NaN for one that the axes cannot show. */
  pixelsX: Float32Array;
  pixelsY: Float32Array;
  /** Points that can be shown. */
  shown: number;
  grid: PointGrid;
}

interface LayoutOptions {
  width: number;
  height: number;
  margins: Margins;
  kind: AxisKind;
  /** What is looked at; null for all of it. */
  zoom: Area | null;
}

/** NaN stands for no value. */
export type Column = ArrayLike<number>;

/** Pixels of a cell's side, and how far a point may be from the pointer. */
const REACH = 8;

/**
 * Where every point stands, or null when there is none to show.
 *
 * Loops over typed arrays: with 131,072 points a list made on the way costs more than the drawing.
 */
export function layoutScatter(
  xs: Column,
  ys: Column,
  options: LayoutOptions,
): ScatterLayout | null {
  const { width, height, margins, kind, zoom } = options;
  const bounds = boundsOf(xs, ys, kind);
  const xDomain = zoom?.x ?? (bounds && padded(bounds.x, kind));
  const yDomain = zoom?.y ?? (bounds && padded(bounds.y, kind));
  if (!xDomain || !yDomain) return null;

  const x = axisScale(xDomain, [margins.left, width - margins.right], kind);
  const y = axisScale(yDomain, [height - margins.bottom, margins.top], kind);
  const pixelsX = new Float32Array(xs.length).fill(NaN);
  const pixelsY = new Float32Array(xs.length).fill(NaN);
  const toX = pixelOf(x, kind);
  const toY = pixelOf(y, kind);
  const [right, bottom] = [width - margins.right, height - margins.bottom];
  let shown = 0;
  for (let index = 0; index < xs.length; index += 1) {
    // A missing value is NaN, and so is the logarithm of what has none: both fail every comparison.
    const px = toX(xs[index] ?? NaN);
    const py = toY(ys[index] ?? NaN);
    if (!(px >= margins.left && px <= right && py >= margins.top && py <= bottom)) continue;
    pixelsX[index] = px;
    pixelsY[index] = py;
    shown += 1;
  }
  const place = (scale: AxisScale, count: number): Tick[] =>
    axisTicks(scale, kind, count).map((value) => ({ value, position: scale(value) }));
  return {
    x,
    y,
    xTicks: place(x, Math.max(2, Math.floor((width - margins.left - margins.right) / 90))),
    yTicks: place(y, Math.max(2, Math.floor(height / 60))),
    pixelsX,
    pixelsY,
    shown,
    grid: gridOf(pixelsX, pixelsY, width, height),
  };
}

/** The same as the scale, whose own call is many times as slow. */
function pixelOf(scale: AxisScale, kind: AxisKind): (value: number) => number {
  const [low = 0, high = 1] = scale.domain();
  const measure = kind === 'log' ? Math.log : (value: number) => value;
  const from = scale(low);
  const slope = (scale(high) - from) / (measure(high) - measure(low));
  const start = measure(low);
  return (value) => from + (measure(value) - start) * slope;
}

function boundsOf(xs: Column, ys: Column, kind: AxisKind): Area | null {
  const least = kind === 'log' ? 0 : -Infinity;
  let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let index = 0; index < xs.length; index += 1) {
    const x = xs[index] ?? NaN;
    const y = ys[index] ?? NaN;
    if (!(x > least && y > least && x < Infinity && y < Infinity)) continue;
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < low) low = y;
    if (y > high) high = y;
  }
  return left <= right ? { x: [left, right], y: [low, high] } : null;
}

/** A little room around the outermost points. */
function padded([low, high]: [number, number], kind: AxisKind): [number, number] {
  if (kind === 'log') return [low / 1.2, high * 1.2];
  const margin = (high - low) * 0.03;
  return [low - margin, high + margin];
}

function gridOf(
  pixelsX: Float32Array,
  pixelsY: Float32Array,
  width: number,
  height: number,
): PointGrid {
  const columns = Math.ceil(width / REACH) + 1;
  const cells = columns * (Math.ceil(height / REACH) + 1);
  const starts = new Int32Array(cells + 1);
  const cellOf = (index: number): number => {
    const x = pixelsX[index] ?? NaN;
    if (Number.isNaN(x)) return -1;
    return Math.floor((pixelsY[index] ?? 0) / REACH) * columns + Math.floor(x / REACH);
  };
  for (let index = 0; index < pixelsX.length; index += 1) {
    const cell = cellOf(index);
    if (cell >= 0) starts[cell + 1] = (starts[cell + 1] ?? 0) + 1;
  }
  for (let cell = 0; cell < cells; cell += 1) {
    starts[cell + 1] = (starts[cell + 1] ?? 0) + (starts[cell] ?? 0);
  }
  const indices = new Int32Array(starts[cells] ?? 0);
  const next = starts.slice();
  for (let index = 0; index < pixelsX.length; index += 1) {
    const cell = cellOf(index);
    if (cell < 0) continue;
    indices[next[cell] ?? 0] = index;
    next[cell] = (next[cell] ?? 0) + 1;
  }
  return { columns, starts, indices };
}

/** Index of the point nearest to a pixel within reach; -1 without one. */
export function pointNear(layout: ScatterLayout, px: number, py: number): number {
  const { columns, starts, indices } = layout.grid;
  const [column, row] = [Math.floor(px / REACH), Math.floor(py / REACH)];
  let best = -1;
  let closest = REACH * REACH;
  for (let r = Math.max(0, row - 1); r <= row + 1; r += 1) {
    const from = r * columns + Math.max(0, column - 1);
    const to = r * columns + Math.min(columns - 1, column + 1);
    for (let place = starts[from] ?? 0; place < (starts[to + 1] ?? 0); place += 1) {
      const index = indices[place] ?? -1;
      const dx = (layout.pixelsX[index] ?? NaN) - px;
      const dy = (layout.pixelsY[index] ?? NaN) - py;
      const distance = dx * dx + dy * dy;
      if (distance < closest) {
        closest = distance;
        best = index;
      }
    }
  }
  return best;
}

/** The data inside two opposite corners in pixels. */
export function areaBetween(
  layout: ScatterLayout,
  [x1, y1]: readonly [number, number],
  [x2, y2]: readonly [number, number],
): Area {
  const { x, y } = layout;
  return {
    x: [x.invert(Math.min(x1, x2)), x.invert(Math.max(x1, x2))],
    y: [y.invert(Math.max(y1, y2)), y.invert(Math.min(y1, y2))],
  };
}

/** How many points lie in an area. */
export function countIn(xs: Column, ys: Column, { x, y }: Area): number {
  let count = 0;
  for (let index = 0; index < xs.length; index += 1) {
    const across = xs[index] ?? NaN;
    const up = ys[index] ?? NaN;
    if (across >= x[0] && across <= x[1] && up >= y[0] && up <= y[1]) count += 1;
  }
  return count;
}
