import { axisScale, axisTicks, type AxisKind, type AxisScale } from './chartScales';
import type { Margins, Tick } from './lineChartLayout';

/** How many values lie in [from, to). */
export interface Bin {
  from: number;
  to: number;
  count: number;
}

export interface Bar extends Bin {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface HistogramLayout {
  bars: Bar[];
  xTicks: Tick[];
  yTicks: Tick[];
  x: AxisScale;
}

interface LayoutOptions {
  width: number;
  height: number;
  margins: Margins;
  xScale: AxisKind;
}

/** Bars of a histogram on a linear count axis that starts at 0; `null` when all bins are empty. */
export function layoutHistogram(
  bins: readonly Bin[],
  { width, height, margins, xScale }: LayoutOptions,
): HistogramLayout | null {
  const usable = trimEmptyEnds(bins.filter((b) => xScale === 'linear' || b.from > 0));
  const first = usable[0];
  const last = usable.at(-1);
  if (!first || !last) return null;

  const highest = Math.max(...usable.map((b) => b.count));
  const bottom = height - margins.bottom;
  const x = axisScale([first.from, last.to], [margins.left, width - margins.right], xScale);
  const y = axisScale([0, highest], [bottom, margins.top], 'linear', true);
  const bars = usable.map((bin) => {
    const left = x(bin.from);
    const gap = x(bin.to) - left > 3 ? 1 : 0;
    const top = bin.count === 0 ? bottom : Math.min(y(bin.count), bottom - 1);
    return { ...bin, x: left, y: top, width: x(bin.to) - left - gap, height: bottom - top };
  });
  const plotWidth = width - margins.left - margins.right;
  return {
    bars,
    x,
    xTicks: axisTicks(x, xScale, Math.max(2, Math.floor(plotWidth / 70))).map((value) => ({
      value,
      position: x(value),
    })),
    yTicks: y.ticks(Math.max(2, Math.floor(height / 55))).map((value) => ({
      value,
      position: y(value),
    })),
  };
}

function trimEmptyEnds(bins: readonly Bin[]): Bin[] {
  const first = bins.findIndex((b) => b.count > 0);
  if (first < 0) return [];
  const last = bins.findLastIndex((b) => b.count > 0);
  return bins.slice(first, last + 1);
}
