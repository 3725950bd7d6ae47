import { render, screen, within } from '@testing-library/react';
import { expect, it } from 'vitest';
import { makeFeature } from '@/test/featureFactories';
import { FeatureStatistics } from './FeatureStatistics';

it('shows each score with interval, chance and definition, and names what was not measured', () => {
  const feature = makeFeature({
    token_rule: 0.68,
    definitions: { token_rule: 'Balanced accuracy of a rule.' },
    metadata: {
      score_details: { token_rule: { interval: [0.67, 0.69], null: 0.5 } },
      top_tokens: [{ token: ' number', count: 14, mean_activation: 3.5, share: 0.4, p_fire: 0.98 }],
      rule_tokens: [' number'],
    },
  });
  const loaded = { value: feature, problem: null, refetch: () => undefined };
  render(<FeatureStatistics feature={loaded} />);
  const scores = screen.getByRole('region', { name: 'Scores' });
  const row = within(scores).getByText('Token rule').closest('tr')!;
  expect(row).toHaveTextContent('68.0 %67.0 % – 69.0 %50.0 %');
  expect(within(scores).getByText('Balanced accuracy of a rule.')).toBeInTheDocument();
  expect(scores).toHaveTextContent(/Not measured: .*coherence/);
  const tokens = screen.getByRole('region', { name: 'Top tokens' });
  expect(tokens).toHaveTextContent('“·number”40.0 %143.5098 %');
  expect(tokens).toHaveTextContent('The rule that predicts best where it fires');
});
