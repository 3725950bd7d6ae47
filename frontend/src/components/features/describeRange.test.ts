import { expect, it } from 'vitest';
import { describeRange } from './describeRange';

it.each([
  [{ column: 'max_activation', from: 2, to: 5 }, 'max activation 2.00 – 5.00'],
  [{ column: 'n_fires', from: null, to: 10 }, 'firings up to 10'],
  [{ column: 'activation_frequency', from: 0.1, to: null }, 'activation frequency from 10.00 %'],
  [{ column: 'cluster', from: 3, to: 3 }, 'cluster 3'],
  [{ column: 'map_x', from: -0.1234, to: null }, 'map, across from -0.123'],
])('says %j', (range, said) => {
  expect(describeRange(range)).toBe(said);
});
