import { screen, within } from '@testing-library/react';
import { beforeEach, expect, it } from 'vitest';
import { useMetricsStore } from '@/stores/trainingStore';
import { makePoint, makeTraining } from '@/test/factories';
import { expectAccessible, renderWithUser } from '@/test/render';
import { answer } from '@/test/server';
import type { MeasuredFigure } from '@/types/training.types';
import { toggleRun } from './comparedRuns';
import { RunTray } from './RunTray';

function figure(value: number, fields: Partial<MeasuredFigure> = {}): MeasuredFigure {
  return {
    key: 'explained_variance',
    label: 'Explained variance',
    value,
    unit: '',
    definition: '1 - FVU.',
    n_tokens: 1000,
    n_documents: 20,
    interval: { low: value - 0.01, high: value + 0.01, level: 0.95 },
    verdict: null,
    guide: null,
    ...fields,
  };
}

const pca = figure(0.7, { key: 'pca', label: 'PCA', interval: null });
const one = makeTraining({
  id: 'a',
  name: 'first',
  hyperparameters: { k: 16 },
  evaluation: { figures: [figure(0.9), pca], raw: {} },
});
const two = makeTraining({
  id: 'b',
  name: 'second',
  hyperparameters: { k: 32 },
  evaluation: { figures: [figure(0.95)], raw: {} },
});

beforeEach(() => {
  useMetricsStore.setState({ byTraining: {} });
  answer('get', '/trainings/:id/metrics', [
    makePoint({ step: 10, loss: 0.5 }),
    makePoint({ step: 20, loss: 0.25 }),
  ]);
});

it('lays runs over each other: curves, figures with intervals, what differs', async () => {
  window.history.replaceState(null, '', '?runs=a,b');
  const { user } = renderWithUser(<RunTray trainings={[one, two]} />);
  await user.click(screen.getByRole('button', { name: 'Compare Runs' }));
  const dialog = await screen.findByRole('dialog', { name: 'Compare runs' });
  expect(await within(dialog).findByRole('img', { name: /A: 0.25.*B: 0.25/ })).toBeVisible();

  const figures = within(dialog).getByRole('region', { name: 'Held-out figures' });
  const row = within(figures).getByText('Explained variance').closest('tr')!;
  expect(row).toHaveTextContent('0.90.89 – 0.910.950.94 – 0.96');
  expect(within(figures).getByText('PCA').closest('tr')).toHaveTextContent('0.7–');

  const settings = within(dialog).getByRole('region', { name: 'Differences of the settings' });
  expect(within(settings).getByText('K').closest('tr')).toHaveTextContent('1632');
  await user.click(within(dialog).getByRole('button', { name: 'L0' }));
  await expectAccessible(dialog);
  expect(window.location.search).toContain('comparing=1');
});

it('needs two runs, and is emptied again', async () => {
  toggleRun('a');
  const { user } = renderWithUser(<RunTray trainings={[one, two]} />);
  expect(screen.getByRole('button', { name: 'Compare Runs' })).toBeDisabled();
  await user.click(screen.getByRole('button', { name: 'Take first out' }));
  expect(screen.queryByRole('region', { name: 'Runs to compare' })).toBeNull();
  window.history.replaceState(null, '', '?runs=gone');
});

it('says when nothing was measured and nothing differs', async () => {
  const bare = makeTraining({ id: 'a', evaluation: null });
  window.history.replaceState(null, '', '?runs=a,c&comparing=1');
  renderWithUser(<RunTray trainings={[bare, { ...bare, id: 'c' }]} />);
  expect(await screen.findByText('None of these runs was measured yet.')).toBeVisible();
  expect(screen.getByText('All settings are the same, the seed too.')).toBeVisible();
});
