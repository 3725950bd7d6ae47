import { line } from 'd3-shape';

import {
  axisScale,
  axisTicks,
  extentOf,
  yExtent,
  type AxisKind,
  type AxisScale,
} from './chartScales';
import { thinPoints, type Point } from './thinning';

/** A named line; `color` is any CSS colour. */
export interface Series {
  name: string;
  color: string;
  points: readonly Point[];
}

export interface Margins {
  top: number;
  right: number;
  bottom: number;
  left: number;
}

export interface Tick {
  value: number;
  /** Pixels from the left or top edge of the drawing. */
  position: number;
}

export interface DrawnSeries {
  name: string;
  color: string;
  path: string;
  /** The points that are drawn, thinned to the width; hovering reads from them. */
  points: Point[];
}

export interface LineChartLayout {
  x: AxisScale;
  y: AxisScale;
  xTicks: Tick[];
  yTicks: Tick[];
  drawn: DrawnSeries[];
}

interface LayoutOptions {
  width: number;
  height: number;
  margins: Margins;
  yScale: AxisKind;
}

/** Everything a line chart draws, or `null` when no series has a point that the axis can show. */
export function layoutLineChart(
  series: readonly Series[],
  { width, height, margins, yScale }: LayoutOptions,
): LineChartLayout | null {
  const innerWidth = Math.max(1, width - margins.left - margins.right);
  const shown = series.map((s) => ({
    ...s,
    points: thinPoints(s.points, innerWidth).filter((p) => yScale === 'linear' || p.y > 0),
  }));
  const allPoints = shown.map((s) => s.points);
  const xDomain = extentOf(allPoints.flatMap((points) => points.map((p) => p.x)));
  const yDomain = yExtent(allPoints, yScale);
  if (!xDomain || !yDomain) return null;

  const x = axisScale(xDomain, [margins.left, width - margins.right]);
  const y = axisScale(yDomain, [height - margins.bottom, margins.top], yScale, true);
  const draw = line<Point>(
    (p) => x(p.x),
    (p) => y(p.y),
  ).digits(1);
  return {
    x,
    y,
    xTicks: toTicks(x, axisTicks(x, 'linear', Math.max(2, Math.floor(innerWidth / 90)))),
    yTicks: toTicks(y, axisTicks(y, yScale, Math.max(2, Math.floor(height / 45)))),
    drawn: shown.map((s) => ({ ...s, path: draw(s.points) ?? '' })),
  };
}

function toTicks(scale: AxisScale, values: readonly number[]): Tick[] {
  return values.map((value) => ({ value, position: scale(value) }));
}
