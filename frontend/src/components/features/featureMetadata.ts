import type { Bin } from '../visualizations/histogramLayout';

/** A token at which the feature peaks, in how many of its strongest contexts. */
export interface TopToken {
  token: string;
  count: number;
  meanActivation: number;
}

export interface Quantile {
  /** 0 to 1. */
  share: number;
  value: number;
}

/** What discovery measured beside the columns of the table. */
export interface FeatureMetadata {
  topTokens: TopToken[];
  quantiles: Quantile[];
  histogram: Bin[];
}

/**
 * Read the `metadata` object of a feature, whose values the API leaves open.
 *
 * What is missing or has another shape is left out; nothing is filled in.
 */
export function readMetadata(metadata: Readonly<Record<string, unknown>>): FeatureMetadata {
  return {
    topTokens: readTopTokens(metadata.top_tokens),
    quantiles: readQuantiles(metadata.quantiles),
    histogram: readHistogram(metadata.histogram),
  };
}

function readTopTokens(value: unknown): TopToken[] {
  if (!Array.isArray(value)) return [];
  return value
    .filter(isRecord)
    .flatMap(({ token, count, mean_activation: mean }) =>
      typeof token === 'string' && isNumber(count) && isNumber(mean)
        ? [{ token, count, meanActivation: mean }]
        : [],
    );
}

/** `{"0.5": 1.2, …}` or `{"p50": 1.2, …}`, ascending. */
function readQuantiles(value: unknown): Quantile[] {
  if (!isRecord(value)) return [];
  return Object.entries(value)
    .map(([name, quantile]) => ({ share: shareOf(name), value: quantile }))
    .filter((q): q is Quantile => Number.isFinite(q.share) && isNumber(q.value))
    .sort((a, b) => a.share - b.share);
}

function shareOf(name: string): number {
  return name.startsWith('p') ? Number(name.slice(1)) / 100 : Number(name);
}

/** `{"edges": [n + 1 values], "counts": [n values]}`. */
function readHistogram(value: unknown): Bin[] {
  if (!isRecord(value) || !isNumberArray(value.edges) || !isNumberArray(value.counts)) return [];
  const { edges, counts } = value;
  return counts.flatMap((count, index) => {
    const from = edges[index];
    const to = edges[index + 1];
    return from === undefined || to === undefined ? [] : [{ from, to, count }];
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isNumberArray(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isNumber);
}
