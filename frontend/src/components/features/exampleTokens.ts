import type { FeatureExample } from '@/types/feature.types';
import { formatDecimal } from '@/utils/format';
import type { HighlightToken } from '../visualizations/TokenHighlights';
import { quotedToken } from '../visualizations/tokenText';

export interface ContextToken extends HighlightToken {
  title: string;
}

/** The tokens of a context with the feature's activation at each; `digits` for the tooltip. */
export function contextTokens(example: FeatureExample, digits: number): ContextToken[] {
  return example.tokens.map((text, index) => {
    const value = example.activations[index] ?? 0;
    return { text, value, title: `${quotedToken(text)}  ${formatDecimal(value, digits)}` };
  });
}

/**
 * The part of a context around its strongest token that fits a table row.
 *
 * @param budget - Characters; three fifths of them go before the strongest token.
 */
export function aroundPeak<T extends { text: string }>(
  tokens: readonly T[],
  position: number,
  budget: number,
): T[] {
  const first = reach(tokens, position, -1, budget * 0.6);
  const last = reach(tokens, position, 1, budget * 0.4);
  const [start, ...rest] = tokens.slice(first, last + 1);
  return start ? [{ ...start, text: withoutMargin(start.text) }, ...rest] : [];
}

/**
 * Runs of tokens on which nothing fires as one piece of text.
 *
 * A dictionary is silent on most tokens, so a table row has a fifth of the nodes.
 */
export function withQuietJoined(tokens: readonly ContextToken[]): HighlightToken[] {
  const joined: HighlightToken[] = [];
  for (const token of tokens) {
    const last = joined.at(-1);
    const canJoin = token.value === 0 && token.text.trim() !== '';
    if (!canJoin) joined.push(token);
    else if (last?.value === 0 && last.title === undefined) last.text += token.text;
    else joined.push({ text: token.text, value: 0 });
  }
  return joined;
}

/** A space before the first word would only indent the row. */
function withoutMargin(text: string): string {
  return text.trim() === '' ? text : text.replace(/^ +/, '');
}

function reach(
  tokens: readonly { text: string }[],
  from: number,
  step: 1 | -1,
  budget: number,
): number {
  let index = from;
  let left = budget;
  for (;;) {
    const next = tokens[index + step];
    if (!next || next.text.length > left) return index;
    left -= next.text.length;
    index += step;
  }
}
