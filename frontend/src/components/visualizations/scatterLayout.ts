import { axisScale, axisTicks, extentOf, type AxisKind, type AxisScale } from './chartScales';
import type { Margins, Tick } from './lineChartLayout';

/** A rectangle in data units. */
export interface Area {
  x: [number, number];
  y: [number, number];
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
}

interface LayoutOptions {
  width: number;
  height: number;
  margins: Margins;
  kind: AxisKind;
  /** What is looked at; null for all of it. */
  zoom: Area | null;
}

type Column = readonly (number | null)[];

/** Where every point stands, or null when there is none to show. */
export function layoutScatter(
  xs: Column,
  ys: Column,
  options: LayoutOptions,
): ScatterLayout | null {
  const { width, height, margins, kind, zoom } = options;
  const usable = (value: number | null | undefined): value is number =>
    value != null && Number.isFinite(value) && (kind === 'linear' || value > 0);
  const both = xs.map((x, index) => usable(x) && usable(ys[index]));
  const inBoth = (values: Column) => extentOf(values.filter((_, i) => both[i]) as number[]);
  const xDomain = zoom?.x ?? padded(inBoth(xs), kind);
  const yDomain = zoom?.y ?? padded(inBoth(ys), kind);
  if (!xDomain || !yDomain) return null;

  const x = axisScale(xDomain, [margins.left, width - margins.right], kind);
  const y = axisScale(yDomain, [height - margins.bottom, margins.top], kind);
  const pixelsX = new Float32Array(xs.length).fill(NaN);
  const pixelsY = new Float32Array(xs.length).fill(NaN);
  let shown = 0;
  both.forEach((isUsable, index) => {
    const px = isUsable ? x(xs[index] ?? NaN) : NaN;
    const py = isUsable ? y(ys[index] ?? NaN) : NaN;
    const isInside =
      px >= margins.left &&
      px <= width - margins.right &&
      py >= margins.top &&
      py <= height - margins.bottom;
    if (!isInside) return;
    pixelsX[index] = px;
    pixelsY[index] = py;
    shown += 1;
  });
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
  };
}

/** A little room around the outermost points. */
function padded(extent: [number, number] | null, kind: AxisKind): [number, number] | null {
  if (!extent) return null;
  const [low, high] = extent;
  if (kind === 'log') return [low / 1.2, high * 1.2];
  const margin = (high - low) * 0.03;
  return [low - margin, high + margin];
}

/** Index of the point nearest to a pixel within `reach` pixels; -1 without one. */
export function pointNear(layout: ScatterLayout, px: number, py: number, reach = 8): number {
  let best = -1;
  let closest = reach * reach;
  for (let index = 0; index < layout.pixelsX.length; index += 1) {
    const dx = (layout.pixelsX[index] ?? NaN) - px;
    const dy = (layout.pixelsY[index] ?? NaN) - py;
    const distance = dx * dx + dy * dy;
    // NaN is no smaller than anything, so points that are not shown are never found.
    if (distance < closest) {
      closest = distance;
      best = index;
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
  return xs.filter((value, index) => {
    const other = ys[index];
    if (value === null || other == null) return false;
    return value >= x[0] && value <= x[1] && other >= y[0] && other <= y[1];
  }).length;
}
