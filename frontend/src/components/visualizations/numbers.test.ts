import { expect, it } from 'vitest';

import { formatTick, formatValue } from './numbers';

it.each([
  [0, '0'],
  [0.00025, '2.5e-4'],
  [0.0001, '1e-4'],
  [0.25, '0.25'],
  [100, '100'],
  [1500, '1.5k'],
  [20_000, '20k'],
  [3_000_000, '3M'],
  [-2.5e9, '-2.5B'],
])('writes %d on an axis as %s', (value, text) => {
  expect(formatTick(value)).toBe(text);
});

it.each([
  [0, '0'],
  [1234567, '1,234,567'],
  [0.000012, '1.20e-5'],
  [3.14159, '3.142'],
  [0.5, '0.5'],
  [12345.678, '12,346'],
])('writes %d in a tooltip as %s', (value, text) => {
  expect(formatValue(value)).toBe(text);
});
