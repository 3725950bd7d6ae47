import { expect, it } from 'vitest';

import { layoutHistogram } from './histogramLayout';

const options = {
  width: 500,
  height: 200,
  margins: { top: 10, right: 10, bottom: 30, left: 50 },
  xScale: 'log' as const,
};
const bins = [
  { from: 0.01, to: 0.1, count: 0 },
  { from: 0.1, to: 1, count: 50 },
  { from: 1, to: 10, count: 100 },
  { from: 10, to: 100, count: 1 },
  { from: 100, to: 1000, count: 0 },
];

it('is null when nothing was counted', () => {
  expect(layoutHistogram([], options)).toBeNull();
  expect(layoutHistogram([{ from: 1, to: 2, count: 0 }], options)).toBeNull();
});

it('trims empty bins at both ends and fills the width', () => {
  const { bars } = layoutHistogram(bins, options)!;
  expect(bars.map((b) => b.count)).toEqual([50, 100, 1]);
  expect(bars[0]!.x).toBe(50);
  expect(bars[2]!.x + bars[2]!.width).toBeCloseTo(489);
});

it('draws bins of equal ratio equally wide on a log axis', () => {
  const { bars } = layoutHistogram(bins, options)!;
  expect(bars[0]!.width).toBeCloseTo(bars[1]!.width);
});

it('draws heights in proportion to counts, none below a pixel', () => {
  const { bars } = layoutHistogram(bins, options)!;
  expect(bars[1]!.height / bars[0]!.height).toBeCloseTo(2);
  expect(bars[2]!.height).toBeGreaterThanOrEqual(1);
});

it('leaves bins from zero out of a log axis but keeps them on a linear one', () => {
  const fromZero = [
    { from: 0, to: 1, count: 3 },
    { from: 1, to: 2, count: 4 },
  ];
  expect(layoutHistogram(fromZero, options)!.bars).toHaveLength(1);
  expect(layoutHistogram(fromZero, { ...options, xScale: 'linear' })!.bars).toHaveLength(2);
});
