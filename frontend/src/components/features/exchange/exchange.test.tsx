import { screen, waitFor } from '@testing-library/react';
import { beforeEach, expect, it, vi } from 'vitest';
import { useUiStore } from '@/stores/uiStore';
import { answer, answerPage, refuse } from '@/test/server';
import { TRAINING_ID } from '@/test/featureFactories';
import { renderWithUser } from '@/test/render';
import { defaultTable } from '../featureQuery';
import { FeatureExchange } from './FeatureExchange';

const filtered = { ...defaultTable, ranges: [{ column: 'n_fires', from: 1, to: null }] };

beforeEach(() => {
  useUiStore.setState({ toasts: [] });
  answerPage('/jobs', []);
});

it('downloads what the filter lets through, or everything', async () => {
  const links: string[] = [];
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (
    this: HTMLAnchorElement,
  ) {
    links.push(this.href);
  });
  const { user } = renderWithUser(<FeatureExchange trainingId={TRAINING_ID} table={filtered} />);
  await user.click(screen.getByRole('button', { name: 'Export' }));
  await user.selectOptions(screen.getByRole('combobox', { name: 'Format' }), 'Table (CSV)');
  await user.click(screen.getByRole('button', { name: 'Download' }));
  await user.click(screen.getByRole('button', { name: 'Export' }));
  await user.click(screen.getByRole('switch', { name: /Only what the filter/ }));
  await user.click(screen.getByRole('button', { name: 'Download' }));
  const [one, all] = links.map((link) => new URL(link));
  expect(one?.pathname).toBe('/api/v1/features/export');
  expect(one?.searchParams.get('format')).toBe('csv');
  expect(one?.searchParams.get('range')).toBe('n_fires:1:');
  expect(all?.searchParams.has('range')).toBe(false);
});

it('sends an archive, and says why one is refused', async () => {
  refuse('post', '/features/upload', { code: 'VALIDATION_ERROR', message: 'Another dictionary.' });
  const { user } = renderWithUser(
    <FeatureExchange trainingId={TRAINING_ID} table={defaultTable} />,
  );
  await user.click(screen.getByRole('button', { name: 'Import' }));
  const submit = () => user.click(screen.getAllByRole('button', { name: 'Import' }).at(-1)!);
  await user.upload(screen.getByLabelText('Choose an archive'), new File(['x'], 'features.zip'));
  await submit();
  await screen.findByText('Another dictionary.');
  answer('post', '/features/upload', { job_id: 'j' }, 202);
  await submit();
  await waitFor(() => expect(useUiStore.getState().toasts).toHaveLength(1));
  expect(screen.queryByLabelText('Choose an archive')).toBeNull();
});
