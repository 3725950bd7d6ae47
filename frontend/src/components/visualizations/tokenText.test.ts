import { describe, expect, it } from 'vitest';

import {
  highlightStyle,
  intensityOf,
  paletteGradient,
  quotedToken,
  visibleToken,
} from './tokenText';

describe('visibleToken', () => {
  it('keeps the space that begins a word', () => {
    expect(visibleToken(' the')).toEqual({ text: ' the', isBlank: false });
  });

  it.each([
    ['\n', '↵'],
    ['\r\n', '↵'],
    ['  ', '··'],
    ['\n    ', '↵····'],
    ['\t', '⇥'],
    ['', '∅'],
  ])('gives %j the glyph %s', (token, text) => {
    expect(visibleToken(token)).toEqual({ text, isBlank: true });
  });

  it('shows control characters', () => {
    expect(visibleToken('a\u0001').text).toBe('a␀');
  });
});

it('shows every space of a token that stands alone', () => {
  expect(quotedToken(' new line\n')).toBe('·new·line↵');
});

describe('intensityOf', () => {
  it.each([
    [5, 10, 0.5],
    [12, 10, 1],
    [-1, 10, 0],
    [1, 0, 0],
    [Number.NaN, 1, 0],
  ])('of %d to %d is %d', (value, max, expected) => {
    expect(intensityOf(value, max)).toBe(expected);
  });
});

describe('highlightStyle', () => {
  it('leaves a silent token alone', () => {
    expect(highlightStyle(0, 'emerald')).toEqual({});
  });

  it('colours at 0.4 of the intensity', () => {
    expect(highlightStyle(0.5, 'emerald')).toEqual({ backgroundColor: 'rgba(16,185,129,0.200)' });
  });

  it('turns the text white above 0.6', () => {
    expect(highlightStyle(0.6, 'emerald').color).toBeUndefined();
    expect(highlightStyle(0.65, 'emerald').color).toBe('#fff');
    expect(highlightStyle(0.65, 'emerald').boxShadow).toBeUndefined();
  });

  it('draws a thin border above 0.7', () => {
    expect(highlightStyle(0.71, 'purple').boxShadow).toContain('rgba(168,85,247');
  });
});

it('spans the palette in a legend', () => {
  expect(paletteGradient('emerald')).toContain('rgba(16,185,129,0.4)');
});
