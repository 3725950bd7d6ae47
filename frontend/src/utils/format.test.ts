import { describe, expect, it } from 'vitest';
import {
  formatBytes,
  formatCompact,
  formatDateTime,
  formatDecimal,
  formatDuration,
  formatInteger,
  formatPercent,
  formatRate,
  formatShare,
  formatSignificant,
  formatTime,
  humanize,
} from './format';

describe('numbers', () => {
  it('separate thousands and show a dash for what was not measured', () => {
    expect(formatInteger(1_234_567)).toBe('1,234,567');
    expect(formatInteger(null)).toBe('–');
    expect(formatDecimal(Number.NaN, 2)).toBe('–');
    expect(formatDecimal(0.123456, 4)).toBe('0.1235');
    expect(formatCompact(1_234_567)).toBe('1.23M');
    expect(formatRate(91_234, 'tokens')).toBe('91.2K tokens/s');
    expect(formatRate(undefined, 'tokens')).toBe('–');
  });

  it('write small and large values with an exponent', () => {
    expect(formatSignificant(1e-7)).toBe('1e-7');
    expect(formatSignificant(0.000_123)).toBe('1.23e-4');
    expect(formatSignificant(2_500_000)).toBe('2.5e6');
    expect(formatSignificant(0.5)).toBe('0.5');
    expect(formatSignificant(null)).toBe('–');
  });

  it('write shares and percents', () => {
    expect(formatShare(0.8731)).toBe('87.3 %');
    expect(formatShare(null)).toBe('–');
    expect(formatPercent(42.4)).toBe('42 %');
    expect(formatPercent(undefined)).toBe('–');
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1 KB'],
    [4_465_848, '4.47 MB'],
    [93_400_000, '93.4 MB'],
    [2_300_000_000, '2.3 GB'],
    [999_999, '1 MB'],
  ])('%i is %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it('is a dash when unknown', () => {
    expect(formatBytes(null)).toBe('–');
  });
});

describe('formatDuration', () => {
  it.each([
    [0.2, '< 1 s'],
    [59, '59 s'],
    [60, '1 min'],
    [75, '1 min 15 s'],
    [5_000, '1 h 23 min'],
    [400_000, '5 days'],
    [-1, '–'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});

describe('dates and names', () => {
  it('are a dash when absent', () => {
    expect(formatTime(null)).toBe('–');
    expect(formatDateTime(undefined)).toBe('–');
  });

  it('hold the time', () => {
    expect(formatTime('2026-11-23T09:00:00Z')).toMatch(/^\d\d:00:00$/);
    expect(formatDateTime('2026-11-23T09:00:00Z')).toContain('Nov 2026');
  });

  it('turn identifiers into words', () => {
    expect(humanize('dataset_import')).toBe('Dataset import');
    expect(humanize('topk')).toBe('TopK');
  });
});
