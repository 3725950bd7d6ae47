import { describe, expect, it } from 'vitest';
import { aroundPeak, contextTokens, withQuietJoined } from './exampleTokens';

const example = {
  rank: 0,
  document: 3,
  position: 1,
  split: 'train' as const,
  tokens: ['if', ' x', '\n'],
  token_ids: [1, 2, 3],
  activations: [0, 2.34567],
  max_activation: 2.34567,
  kind: 'top' as const,
  octave: null,
  margin: null,
  token_index: null,
  window_position: null,
};

it('pairs tokens with activations and says both', () => {
  expect(contextTokens(example, 3)).toEqual([
    { text: 'if', value: 0, title: 'if  0.000' },
    { text: ' x', value: 2.34567, title: '·x  2.346' },
    { text: '\n', value: 0, title: '↵  0.000' },
  ]);
});

describe('aroundPeak', () => {
  const tokens = Array.from({ length: 20 }, () => ({ text: 'word ' }));

  it('gives more room to what comes before', () => {
    expect(aroundPeak(tokens, 10, 50)).toHaveLength(6 + 1 + 4);
  });

  it('stops at the ends', () => {
    expect(aroundPeak(tokens, 0, 50)).toHaveLength(5);
    expect(aroundPeak(tokens, 19, 1000)).toHaveLength(20);
  });

  it('keeps the strongest token however long it is', () => {
    expect(aroundPeak([{ text: 'x'.repeat(500) }], 0, 10)).toHaveLength(1);
  });
});

it('joins what is silent, but neither blanks nor what fires', () => {
  const tokens = [
    ...contextTokens(
      { ...example, tokens: ['a', ' b', ' c', '\n', ' d'], activations: [0, 0, 2, 0] },
      3,
    ),
  ];
  expect(withQuietJoined(tokens)).toEqual([
    { text: 'a b', value: 0 },
    { text: ' c', value: 2, title: '·c  2.000' },
    { text: '\n', value: 0, title: '↵  0.000' },
    { text: ' d', value: 0 },
  ]);
});
