import { expect, it } from 'vitest';
import { convertCoefficient, effectOf } from './coefficients';

it.each([
  [5, 'max_multiple', 'activation', 50],
  [-2, 'max_multiple', 'norm_fraction', -0.4],
  [10, 'activation', 'max_multiple', 1],
  [0, 'norm_fraction', 'activation', 0],
] as const)('%d of %s becomes in %s %d', (value, from, to, expected) => {
  expect(convertCoefficient(value, from, to)).toBe(expected);
});

it.each([
  [-0.1, 'suppress'],
  [0, 'none'],
  [3, 'amplify'],
])('%d means %s', (value, effect) => {
  expect(effectOf(value)).toBe(effect);
});
