import { describe, expect, it } from 'vitest';
import { defaultConfig, everywhere } from '@/stores/steeringStore';
import {
  countLimits,
  parsePositions,
  toCondition,
  toMask,
  whereErrors,
  writePositions,
} from './where';

describe('positions', () => {
  it.each([
    ['', []],
    [' 3, 7-9 ;3', [3, 7, 8, 9]],
    ['9-7', null],
    ['-1', null],
    ['2.5', null],
    ['NaN', null],
    ['0-4000000', null],
    ['99999999', null],
  ])('reads %j', (text, expected) => {
    expect(parsePositions(text)).toEqual(expected);
  });

  it('writes them as they are typed', () => {
    expect(writePositions([3, 7, 8, 9])).toBe('3, 7-9');
    expect(writePositions([])).toBe('');
  });
});

it('says what is wrong with each field', () => {
  const condition = (threshold: number | null) => ({ condition: { id: 1, threshold } });
  expect(whereErrors(everywhere)).toEqual({});
  expect(whereErrors({ ...everywhere, positions: 'x' }).positions).toMatch('Whole numbers');
  expect(whereErrors({ ...everywhere, from: 1.5, to: -1 })).toEqual({
    from: 'Whole numbers only',
    to: 'At least 0',
  });
  expect(whereErrors({ ...everywhere, from: 5, to: 4 })).toEqual({
    to: 'Not before the first position',
  });
  expect(whereErrors({ ...everywhere, from: 1e9 }).from).toBe('At most 1,000,000');
  expect(whereErrors({ ...everywhere, ...condition(null) }).threshold).toBe('Type a number');
  expect(whereErrors({ ...everywhere, ...condition(-1) }).threshold).toMatch('At least 0');
  expect(whereErrors({ ...everywhere, ...condition(1e12) }).threshold).toMatch('At most');
  expect(whereErrors({ ...everywhere, ...condition(0) })).toEqual({});
});

it('sends what limits something', () => {
  expect(toMask(everywhere)).toEqual({});
  const condition = { id: 12, threshold: 0.5 };
  const where = { positions: '3-4', from: null, to: 9, tokenIds: [40], condition };
  expect(toMask(where)).toEqual({
    positions: [3, 4],
    window: [0, 9],
    token_ids: [40],
  });
  expect(toCondition(where)).toEqual({ condition: { feature_id: 12, threshold: 0.5 } });
  expect(toCondition(everywhere)).toEqual({});
  expect(countLimits({ ...defaultConfig, where, more: { mode: 'reconstruction' } })).toBe(5);
  expect(countLimits(defaultConfig)).toBe(0);
});
