import { expect, it } from 'vitest';
import { makePackedMap } from '@/test/featureFactories';
import { unpackMap } from './packedMap';

it('reads the columns as the server packed them', () => {
  const map = unpackMap(makePackedMap());
  expect([...map.ids]).toEqual([7, 8, 9]);
  expect([...map.neuronIndex]).toEqual([107, 108, 109]);
  expect([...map.x]).toEqual([0, 1, NaN]);
  expect([...map.cluster]).toEqual([0, 1, -1]);
  expect(map.frequency[1]).toBeCloseTo(0.2);
  expect([map.nameAt(0), map.nameAt(1), map.nameAt(9)]).toEqual(['number', null, null]);
});
