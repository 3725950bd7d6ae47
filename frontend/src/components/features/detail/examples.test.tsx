import { screen } from '@testing-library/react';
import { beforeEach, expect, it } from 'vitest';
import { emptyFeatureData, useFeatureStore } from '@/stores/featureStore';
import { answer } from '@/test/featureApi';
import { makeExample } from '@/test/featureFactories';
import { expectAccessible, renderWithUser } from '@/test/render';
import { FeatureExamples } from './FeatureExamples';

beforeEach(() => {
  useFeatureStore.setState(emptyFeatureData);
  answer('get', '/features/7/activations', [makeExample()]);
});

it('shows contexts of every strength with their share of the firings', async () => {
  answer('get', '/features/7/intervals', [
    { octave: 2, low: 4, high: 8, count: 30, share: 0.1, examples: [makeExample()] },
    { octave: -2, low: 0.25, high: 0.5, count: 270, share: 0.9, examples: [] },
  ]);
  const { user, container } = renderWithUser(<FeatureExamples featureId={7} datasetName="tales" />);
  await screen.findByText(/Top Activating Contexts/);
  await user.click(screen.getByRole('button', { name: 'By strength' }));
  const strong = await screen.findByRole('region', { name: 'Activation 4.0 – 8.0' });
  expect(strong).toHaveTextContent('10.0 % · 30');
  expect(screen.getByRole('region', { name: 'Activation 0.250 – 0.500' })).toHaveTextContent(
    'No context of this band was kept.',
  );
  expect(window.location.search).toContain('fexamples=intervals');
  await expectAccessible(container);
});

it('shows where the feature almost fired, and marks the token', async () => {
  window.history.replaceState(null, '', '?fexamples=near_miss');
  const miss = makeExample({ kind: 'near_miss', margin: -0.12, activations: [0, 0, 0, 0, 0] });
  answer('get', '/features/7/activations', [miss]);
  renderWithUser(<FeatureExamples featureId={7} datasetName={null} />);
  expect(await screen.findByText('0.120')).toBeVisible();
  expect(screen.getByText('number')).toHaveClass('underline');
});

it('says when none of a kind were kept', async () => {
  answer('get', '/features/7/activations', []);
  answer('get', '/features/7/intervals', []);
  const { user } = renderWithUser(<FeatureExamples featureId={7} datasetName={null} />);
  await user.click(screen.getByRole('button', { name: 'Near misses' }));
  expect(await screen.findByText('No near misses were kept')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'By strength' }));
  expect(await screen.findByText('No strengths were measured')).toBeVisible();
});
