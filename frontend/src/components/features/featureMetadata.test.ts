import { describe, expect, it } from 'vitest';

import { readMetadata } from './featureMetadata';

describe('readMetadata', () => {
  it('reads what discovery stored', () => {
    const metadata = readMetadata({
      top_tokens: [{ token: ' import', token_id: 5, count: 9, mean_activation: 3.5, share: 0.4 }],
      score_details: {
        token_rule: { null: 0.5, interval: [0.6, 0.7] },
        coherence: { interval: 3 },
      },
      rule_tokens: [' import', 7],
      quantiles: { '0.99': 4, '0.5': 1.5 },
      histogram: { edges: [0.5, 1, 2], counts: [10, 3] },
    });
    expect(metadata.topTokens).toEqual([
      { token: ' import', count: 9, meanActivation: 3.5, share: 0.4, firingShare: null },
    ]);
    expect(metadata.quantiles).toEqual([
      { share: 0.5, value: 1.5 },
      { share: 0.99, value: 4 },
    ]);
    expect(metadata.histogram).toEqual([
      { from: 0.5, to: 1, count: 10 },
      { from: 1, to: 2, count: 3 },
    ]);
    expect(metadata.scoreDetails).toEqual({
      token_rule: { interval: [0.6, 0.7], chance: 0.5 },
      coherence: { interval: null, chance: null },
    });
    expect(metadata.ruleTokens).toEqual([' import']);
  });

  it('understands percentile names', () => {
    expect(readMetadata({ quantiles: { p90: 2 } }).quantiles).toEqual([{ share: 0.9, value: 2 }]);
  });

  it.each([
    {},
    { top_tokens: 'x', quantiles: [1], histogram: { edges: [1, 2] } },
    {
      top_tokens: [{ token: 3 }],
      quantiles: { median: 1 },
      histogram: { edges: ['a'], counts: [] },
    },
  ])('leaves out what has another shape: %j', (metadata) => {
    expect(readMetadata(metadata)).toEqual({
      topTokens: [],
      quantiles: [],
      histogram: [],
      scoreDetails: {},
      ruleTokens: [],
    });
  });
});
