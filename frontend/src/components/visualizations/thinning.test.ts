import { describe, expect, it } from 'vitest';

import { nearestIndex, thinPoints, type Point } from './thinning';

const wave = (count: number): Point[] =>
  Array.from({ length: count }, (_, i) => ({ x: i, y: Math.sin(i / 50) }));

describe('thinPoints', () => {
  it('returns a short series unchanged', () => {
    const points = wave(40);
    expect(thinPoints(points, 10)).toEqual(points);
  });

  it('keeps at most four points per pixel of 100,000', () => {
    const thinned = thinPoints(wave(100_000), 300);
    expect(thinned.length).toBeLessThanOrEqual(1200);
    expect(thinned.length).toBeGreaterThanOrEqual(300);
  });

  it('keeps the first and last point and the order', () => {
    const thinned = thinPoints(wave(10_000), 100);
    expect(thinned[0]!.x).toBe(0);
    expect(thinned.at(-1)!.x).toBe(9_999);
    expect(thinned.map((p) => p.x)).toEqual([...thinned.map((p) => p.x)].sort((a, b) => a - b));
  });

  it('loses no spike, up or down', () => {
    const points = wave(50_000);
    points[31_415] = { x: 31_415, y: 99 };
    points[27_182] = { x: 27_182, y: -99 };
    const values = thinPoints(points, 200).map((p) => p.y);
    expect(values).toContain(99);
    expect(values).toContain(-99);
  });

  it('drops values that are not finite', () => {
    const points = [
      { x: 0, y: Number.NaN },
      { x: 1, y: 2 },
      { x: 2, y: Number.POSITIVE_INFINITY },
    ];
    expect(thinPoints(points, 100)).toEqual([{ x: 1, y: 2 }]);
  });

  it('survives many points at one x', () => {
    const points = Array.from({ length: 100 }, (_, i) => ({ x: 7, y: i }));
    expect(thinPoints(points, 10).map((p) => p.y)).toEqual([0, 99]);
  });
});

describe('nearestIndex', () => {
  const points = [0, 10, 20, 40].map((x) => ({ x, y: 0 }));

  it.each([
    [-5, 0],
    [4, 0],
    [5, 0],
    [6, 1],
    [29, 2],
    [31, 3],
    [99, 3],
  ])('finds for x = %d the point %d', (x, expected) => {
    expect(nearestIndex(points, x)).toBe(expected);
  });

  it('answers -1 for an empty series', () => {
    expect(nearestIndex([], 3)).toBe(-1);
  });
});
