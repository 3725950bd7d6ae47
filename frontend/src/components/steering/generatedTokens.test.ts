import { describe, expect, it } from 'vitest';
import type { SteeringMetric } from '@/types/steering.types';
import {
  differenceTokens,
  divergenceTokens,
  formatMetric,
  largestDivergence,
  metricTone,
} from './generatedTokens';

const token = {
  token_id: 1,
  text: ' cat',
  logprob: -0.5,
  base_logprob: -3.25,
  kl: 0.75,
  activations: [],
  achieved: [],
};
const metric = (key: string, value: number | null, unit = ''): SteeringMetric => ({
  key,
  value,
  unit,
  label: key,
  definition: '',
});

it('colours tokens by divergence and says all of them on hovering', () => {
  const [first, second] = divergenceTokens([token, { ...token, kl: 0 }], 0);
  expect(first).toMatchObject({ text: ' cat', value: 0.75, isMarked: true });
  expect(first!.title).toContain('KL 0.7500 nats');
  expect(first!.title).toContain('unsteered -3.25');
  expect(first!.title).toContain('first difference');
  expect(second!.title).not.toContain('first difference');
});

it('finds the largest divergence', () => {
  expect(largestDivergence([token, { ...token, kl: 2 }])).toBe(2);
  expect(largestDivergence([])).toBe(0);
});

describe('formatMetric', () => {
  it.each([
    [0.123456, 'nats', '0.1235 nats'],
    [0.5, 'share', '50.0 %'],
    [12, 'tokens', '12'],
    [0.91234, '', '0.9123'],
    [33.333, 'ppl', '33.33 ppl'],
    [null, 'nats', '–'],
    [0, 'token', 'at token 1'],
    [null, 'token', 'none'],
  ])('writes %s %s as %s', (value, unit, text) => {
    expect(formatMetric(metric('x', value, unit))).toBe(text);
  });
});

describe('metricTone', () => {
  const base = metric('perplexity_unsteered', 10);
  it.each([
    [12, 'red'],
    [8, 'emerald'],
    [null, 'slate'],
  ])('of a steered perplexity of %s beside 10 is %s', (value, tone) => {
    const steered = metric('perplexity_steered', value);
    expect(metricTone(steered, [base, steered])).toBe(tone);
  });

  it('follows the mock for the others', () => {
    expect(metricTone(metric('kl_mean', 1), [])).toBe('purple');
    expect(metricTone(base, [])).toBe('slate');
  });
});

it('colours what only one of the texts has', () => {
  const diff = [
    {
      op: 'equal' as const,
      unsteered: [0, 1] as [number, number],
      steered: [0, 1] as [number, number],
    },
    {
      op: 'insert' as const,
      unsteered: [1, 1] as [number, number],
      steered: [1, 2] as [number, number],
    },
  ];
  const values = (branch: 'unsteered' | 'steered') =>
    differenceTokens([token, token], diff, branch).map(({ value }) => value);
  expect(values('steered')).toEqual([0, 1]);
  expect(values('unsteered')).toEqual([0, 0]);
});
