import { describe, expect, it } from 'vitest';

import { layoutLineChart } from './lineChartLayout';

const options = {
  width: 400,
  height: 200,
  margins: { top: 10, right: 10, bottom: 30, left: 50 },
  yScale: 'linear' as const,
};
const series = (points: { x: number; y: number }[]) => [{ name: 's', color: 'red', points }];

describe('layoutLineChart', () => {
  it('is null without a point', () => {
    expect(layoutLineChart([], options)).toBeNull();
    expect(layoutLineChart(series([{ x: 0, y: Number.NaN }]), options)).toBeNull();
  });

  it('maps the ends of x to the edges of the plot', () => {
    const layout = layoutLineChart(
      series([
        { x: 0, y: 1 },
        { x: 100, y: 3 },
      ]),
      options,
    )!;
    expect(layout.x(0)).toBe(50);
    expect(layout.x(100)).toBe(390);
    expect(layout.drawn[0]!.path).toMatch(/^M50,/);
  });

  it('puts larger values higher', () => {
    const layout = layoutLineChart(
      series([
        { x: 0, y: 1 },
        { x: 1, y: 3 },
      ]),
      options,
    )!;
    expect(layout.y(3)).toBeLessThan(layout.y(1));
  });

  it('centres a constant series', () => {
    const layout = layoutLineChart(
      series([
        { x: 0, y: 5 },
        { x: 1, y: 5 },
      ]),
      options,
    )!;
    expect(layout.y(5)).toBeCloseTo(90, 0);
  });

  it('leaves values at or below zero out of a log axis', () => {
    const points = [0, 1, 10, 100].map((y, x) => ({ x, y }));
    const layout = layoutLineChart(series(points), { ...options, yScale: 'log' })!;
    expect(layout.drawn[0]!.points.map((p) => p.y)).toEqual([1, 10, 100]);
    expect(layout.yTicks.map((t) => t.value)).toEqual([1, 10, 100]);
  });

  it('gives a wider chart more ticks', () => {
    const points = [
      { x: 0, y: 0 },
      { x: 1000, y: 1 },
    ];
    const narrow = layoutLineChart(series(points), options)!;
    const wide = layoutLineChart(series(points), { ...options, width: 1600 })!;
    expect(wide.xTicks.length).toBeGreaterThan(narrow.xTicks.length);
  });
});
