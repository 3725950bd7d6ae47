import { describe, expect, it } from 'vitest';
import { type Area, areaBetween, countIn, layoutScatter, pointNear } from './scatterLayout';

const whole: Area = { x: [0, 10], y: [0, 10] };
const options = {
  width: 200,
  height: 100,
  margins: { top: 0, right: 0, bottom: 0, left: 0 },
  kind: 'linear' as const,
  zoom: whole,
};
const xs = [0, 5, 10, NaN, 20];
const ys = [0, 5, 10, 5, 5];

describe('layoutScatter', () => {
  it('puts points where the axes say, and leaves out what has no place', () => {
    const layout = layoutScatter(xs, ys, options)!;
    expect([...layout.pixelsX]).toEqual([0, 100, 200, NaN, NaN]);
    expect([...layout.pixelsY]).toEqual([100, 50, 0, NaN, NaN]);
    expect(layout.shown).toBe(3);
  });

  it('leaves room around the outermost points', () => {
    const { x } = layoutScatter([0, 100], [0, 1], { ...options, zoom: null })!;
    expect(x.domain()).toEqual([-3, 103]);
  });

  it('shows only what is above zero on log axes', () => {
    const layout = layoutScatter([0, 1, 100], [1, 1, 100], {
      ...options,
      kind: 'log',
      zoom: null,
    })!;
    expect(layout.shown).toBe(2);
    expect(layout.pixelsX[0]).toBeNaN();
  });

  it('is nothing without points', () => {
    expect(layoutScatter([NaN], [1], { ...options, zoom: null })).toBeNull();
  });
});

it('finds the nearest point in reach', () => {
  const layout = layoutScatter(xs, ys, options)!;
  expect(pointNear(layout, 103, 52)).toBe(1);
  expect(pointNear(layout, 60, 52)).toBe(-1);
});

it('reads an area from any two opposite corners', () => {
  const layout = layoutScatter(xs, ys, options)!;
  const area = areaBetween(layout, [120, 20], [80, 70]);
  expect(area.x).toEqual([4, 6]);
  expect(area.y[0]).toBeCloseTo(3);
  expect(area.y[1]).toBeCloseTo(8);
  expect(countIn(xs, ys, area)).toBe(1);
});
