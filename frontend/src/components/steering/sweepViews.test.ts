import { expect, it } from 'vitest';
import { makeFigures, makeSweepRow, makeSwept } from '@/test/steeringFactories';
import { isBestRow, MEASURES, strengthText, sweepPoints, usesActivations } from './sweepViews';

const [score, kl] = MEASURES;

it('draws a figure over the strengths, ascending, no steering at its neutral strength', () => {
  const feature = makeSwept();
  expect(sweepPoints(feature, score)).toEqual([
    { x: -1, y: 0.05 },
    { x: 0, y: 0.1 },
    { x: 1, y: 0.6 },
    { x: 2, y: 0.4 },
  ]);
  expect(sweepPoints(feature, kl)[0]).toEqual({ x: -1, y: 0.9 });
});

it('measures the axis in activations where a strength was calibrated', () => {
  const calibrated = makeSweepRow({
    strength: 3.5,
    activation_units: 3.5,
    unit: 'activation',
    kl_target: 0.3,
  });
  const feature = makeSwept({ rows: [...makeSwept().rows, calibrated] });
  expect(usesActivations(feature)).toBe(true);
  expect(sweepPoints(feature, score).map(({ x }) => x)).toEqual([0, 3.5, 4.25, 4.25, 4.25]);
});

it('leaves out the unsteered row of a method without a neutral strength', () => {
  const feature = makeSwept({
    rows: [
      makeSweepRow({ strength: null, is_unsteered: true, figures: makeFigures() }),
      makeSweepRow({ strength: 2 }),
    ],
  });
  expect(sweepPoints(feature, score)).toEqual([{ x: 2, y: 0.6 }]);
});

it('knows the chosen row, which may be calibrated', () => {
  const feature = makeSwept();
  expect(feature.rows.map((row) => isBestRow(feature, row))).toEqual([false, false, true, false]);
  expect(feature.rows.some((row) => isBestRow(makeSwept({ best: null }), row))).toBe(false);
});

it('says a strength with its unit and its target', () => {
  expect(strengthText(1.5, 'max_multiple', null)).toBe('1.50 × max');
  expect(strengthText(4, 'activation', 0.3)).toBe('4.00 act. (KL 0.3)');
  expect(strengthText(null, 'activation', null)).toBe('none');
});
