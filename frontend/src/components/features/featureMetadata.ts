import type { Bin } from '../visualizations/histogramLayout';

/** A token on which the feature fires. */
export interface TopToken {
  token: string;
  /** Firings on it. */
  count: number;
  meanActivation: number;
  /** Of the feature's whole activation; null where it was not measured. */
  share: number | null;
  /** Of the token's occurrences; null where it was not measured. */
  firingShare: number | null;
}

/** How sure a score is, and what chance alone would give. */
export interface ScoreDetail {
  interval: [number, number] | null;
  chance: number | null;
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
  /** By the score's column. */
  scoreDetails: Record<string, ScoreDetail>;
  /** Tokens of the rule that predicts best where it fires. */
  ruleTokens: string[];
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
    scoreDetails: readScoreDetails(metadata.score_details),
    ruleTokens: Array.isArray(metadata.rule_tokens) ? metadata.rule_tokens.filter(isText) : [],
  };
}

function readScoreDetails(value: unknown): Record<string, ScoreDetail> {
  if (!isRecord(value)) return {};
  const entries = Object.entries(value).flatMap(([key, detail]) => {
    if (!isRecord(detail)) return [];
    const { interval, null: chance } = detail;
    const [low, high] = isNumberArray(interval) ? interval : [];
    const hasBoth = low !== undefined && high !== undefined;
    const read: ScoreDetail = {
      interval: hasBoth ? [low, high] : null,
      chance: isNumber(chance) ? chance : null,
    };
    return [[key, read] as const];
  });
  return Object.fromEntries(entries);
}

function readTopTokens(value: unknown): TopToken[] {
  if (!Array.isArray(value)) return [];
  return value
    .filter(isRecord)
    .flatMap(({ token, count, mean_activation: mean, share, p_fire: firing }) =>
      isText(token) && isNumber(count) && isNumber(mean)
        ? [
            {
              token,
              count,
              meanActivation: mean,
              share: isNumber(share) ? share : null,
              firingShare: isNumber(firing) ? firing : null,
            },
          ]
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

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isNumberArray(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isNumber);
}
