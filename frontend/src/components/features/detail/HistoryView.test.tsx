import { screen } from '@testing-library/react';
import { beforeEach, expect, it } from 'vitest';
import { emptyFeatureData, useFeatureStore } from '@/stores/featureStore';
import { answer, refuse } from '@/test/featureApi';
import { makeFeature, makeFeatureRow } from '@/test/featureFactories';
import { expectAccessible, renderWithUser } from '@/test/render';
import { HistoryView } from './HistoryView';

const change = {
  before: { name: null, tags: [] },
  after: { name: 'counts', tags: ['maths'] },
  is_undone: false,
  created_at: '2026-11-23T09:00:00Z',
};

beforeEach(() =>
  useFeatureStore.setState({
    ...emptyFeatureData,
    rows: { 7: makeFeatureRow({ name: 'counts' }) },
  }),
);

it('shows what became of what, and takes the latest change back', async () => {
  answer('get', '/features/7/history', [change]);
  answer('post', '/features/7/undo', makeFeature({ name: 'number' }));
  const { user, container } = renderWithUser(<HistoryView featureId={7} />);
  expect(await screen.findByText('“counts”')).toBeVisible();
  expect(screen.getByText('maths')).toBeVisible();
  await expectAccessible(container);
  answer('get', '/features/7/history', [{ ...change, is_undone: true }]);
  await user.click(screen.getByRole('button', { name: /Undo/ }));
  expect(await screen.findByText(/undone/)).toBeVisible();
  expect(screen.getByRole('button', { name: /Undo/ })).toBeDisabled();
  expect(useFeatureStore.getState().rows[7]?.name).toBe('number');
});

it('says why a change could not be taken back', async () => {
  answer('get', '/features/7/history', [change]);
  refuse('post', '/features/7/undo', 409, { code: 'CONFLICT', message: 'Nothing is left.' });
  const { user } = renderWithUser(<HistoryView featureId={7} />);
  await user.click(await screen.findByRole('button', { name: /Undo/ }));
  expect(await screen.findByText('Nothing is left.')).toBeVisible();
});

it('says that nothing was changed', async () => {
  answer('get', '/features/7/history', []);
  renderWithUser(<HistoryView featureId={7} />);
  expect(await screen.findByText('Nothing was changed yet')).toBeVisible();
});
