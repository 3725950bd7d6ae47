import type { DiffPart, GeneratedToken, SteeringMetric } from '@/types/steering.types';
import type { Tone } from '@/utils/constants';
import { formatDecimal, formatInteger, formatShare, formatSignificant } from '@/utils/format';
import type { HighlightToken } from '../visualizations/TokenHighlights';
import { quotedToken } from '../visualizations/tokenText';

/** Tokens of a generated text coloured by their divergence; the one at `marked` is underlined. */
export function divergenceTokens(
  tokens: readonly GeneratedToken[],
  marked: number | null,
): (HighlightToken & { title: string })[] {
  return tokens.map((token, index) => ({
    text: token.text,
    value: token.kl,
    isMarked: index === marked,
    title: describeToken(token, index === marked),
  }));
}

function describeToken(token: GeneratedToken, isFirstDifference: boolean): string {
  const parts = [
    quotedToken(token.text),
    `KL ${formatDecimal(token.kl, 4)} nats`,
    `logprob ${formatDecimal(token.logprob, 2)}`,
    `unsteered ${formatDecimal(token.base_logprob, 2)}`,
  ];
  return `${parts.join('  ·  ')}${isFirstDifference ? '  ·  first difference' : ''}`;
}

/** Tokens coloured by whether they stand in the other text too. */
export function differenceTokens(
  tokens: readonly GeneratedToken[],
  diff: readonly DiffPart[],
  branch: 'unsteered' | 'steered',
): (HighlightToken & { title: string })[] {
  const changed = diff.filter(({ op }) => op !== 'equal').map((part) => part[branch]);
  return tokens.map((token, index) => {
    const isOwn = changed.some(([from, to]) => index >= from && index < to);
    return { text: token.text, value: isOwn ? 1 : 0, title: describeToken(token, false) };
  });
}

export function largestDivergence(tokens: readonly GeneratedToken[]): number {
  return tokens.reduce((largest, token) => Math.max(largest, token.kl), 0);
}

/** A metric's value with its unit: shares as percent, the rest with what fits its size. */
export function formatMetric({ value, unit }: SteeringMetric): string {
  // The place of a token, counted from zero; without one the texts are the same.
  if (unit === 'token') return value === null ? 'none' : `at token ${formatInteger(value + 1)}`;
  if (value === null) return '–';
  if (unit === 'share' || unit === 'fraction') return formatShare(value);
  if (unit === 'tokens') return formatInteger(value);
  const isNats = unit === 'nats' || unit.startsWith('nats ');
  const text = isNats ? formatDecimal(value, 4) : formatSignificant(value, 4);
  return unit === '' || unit === '1' || unit === 'cosine' ? text : `${text} ${unit}`;
}

const TONES: Record<string, Tone> = {
  kl_mean: 'purple',
  kl_p95: 'purple',
  similarity: 'blue',
  word_overlap: 'emerald',
};

/** The mock's colours; the steered perplexity is red where it is higher than the unsteered. */
export function metricTone(metric: SteeringMetric, all: readonly SteeringMetric[]): Tone {
  if (metric.key === 'perplexity_steered') {
    const unsteered = all.find((m) => m.key === 'perplexity_unsteered')?.value;
    if (metric.value === null || unsteered == null) return 'slate';
    return metric.value > unsteered ? 'red' : 'emerald';
  }
  return TONES[metric.key] ?? 'slate';
}
