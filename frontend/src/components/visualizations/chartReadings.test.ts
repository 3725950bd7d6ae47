import { describe, expect, it } from 'vitest';

import { describeSeries, readingsAt, stepCursor } from './chartReadings';

const drawn = [
  { name: 'a', color: 'red', path: '', points: [0, 10, 20].map((x) => ({ x, y: x * 2 })) },
  { name: 'b', color: 'blue', path: '', points: [{ x: 12, y: 1 }] },
  { name: 'empty', color: 'grey', path: '', points: [] },
];

it('reads of each series the point nearest to the cursor', () => {
  expect(readingsAt(drawn, 9)).toEqual([
    { name: 'a', color: 'red', x: 10, y: 20 },
    { name: 'b', color: 'blue', x: 12, y: 1 },
  ]);
});

describe('stepCursor', () => {
  it.each([
    ['ArrowRight', 0, 10],
    ['ArrowRight', 20, 20],
    ['ArrowLeft', 10, 0],
    ['ArrowLeft', null, 20],
    ['Home', 20, 0],
    ['End', 0, 20],
    ['a', 0, null],
  ])('%s from %s goes to %s', (key, cursor, expected) => {
    expect(stepCursor(key, drawn, cursor)).toBe(expected);
  });

  it('stays nowhere in an empty chart', () => {
    expect(stepCursor('Home', [], null)).toBeNull();
  });
});

it('says the newest value of each series', () => {
  expect(describeSeries(drawn, 'step', 'loss')).toBe(
    'Line chart of loss. a: 40 at step 20; b: 1 at step 12; empty: no data',
  );
});
