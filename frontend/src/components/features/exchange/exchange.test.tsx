import { act, screen, waitFor, within } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { useJobStore } from '@/stores/jobStore';
import { makeJob } from '@/test/factories';
import { TRAINING_ID } from '@/test/featureFactories';
import { expectAccessible, renderWithUser } from '@/test/render';
import { answer, answerPage, refuse } from '@/test/server';
import type { Job } from '@/types/job.types';
import { defaultTable } from '../featureQuery';
import { FeatureExchange } from './FeatureExchange';

const filtered = { ...defaultTable, ranges: [{ column: 'n_fires', from: 1, to: null }] };
const file = {
  job_id: 'e1',
  state: 'succeeded',
  training_id: TRAINING_ID,
  format: 'csv',
  n_features: 2048,
  file_name: 'features.csv',
  size_bytes: 81_000,
  sha256: 'ab',
  created_at: '2026-11-23T09:00:00Z',
  expires_at: '2026-11-24T09:00:00Z',
  is_available: true,
};

const know = (job: Partial<Job>) =>
  act(() => {
    const known = makeJob({ resource_id: TRAINING_ID, ...job });
    useJobStore.setState({ byId: { [known.id]: known } });
  });

beforeEach(() => {
  useJobStore.setState({ byId: {} });
  answerPage('/jobs', []);
  answer('get', '/features/exports', []);
});

describe('export', () => {
  it('writes what the filter lets through by a job, and hands out the file', async () => {
    const seen = answer('post', '/features/exports', { job_id: 'e1' }, 202);
    const table = <FeatureExchange trainingId={TRAINING_ID} table={filtered} />;
    const { user, container } = renderWithUser(table);
    await user.click(screen.getByRole('button', { name: 'Export' }));
    await user.selectOptions(screen.getByRole('combobox', { name: 'Format' }), 'Table (CSV)');
    await expectAccessible(container);
    await user.click(screen.getByRole('button', { name: 'Write File' }));
    await waitFor(() => expect(seen).toHaveLength(1));
    expect(seen[0]?.body).toMatchObject({ format: 'csv', ranges: ['n_fires:1:'] });

    know({ id: 'e1', kind: 'feature_export', state: 'running', progress: 40 });
    expect(await screen.findByText('40 %')).toBeVisible();
    answer('get', '/features/exports', [file, { ...file, job_id: 'e0', is_available: false }]);
    know({ id: 'e1', kind: 'feature_export', state: 'succeeded' });
    const list = await screen.findByRole('list', { name: 'Written files' });
    expect(list).toHaveTextContent('2,048 features, csv');
    expect(list).toHaveTextContent('deleted');

    const links: string[] = [];
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (
      this: HTMLAnchorElement,
    ) {
      links.push(new URL(this.href).pathname);
    });
    const [first] = within(list).getAllByRole('button', { name: 'Download features.csv' });
    await user.click(first!);
    expect(links).toEqual(['/api/v1/features/exports/e1/file']);
  });

  it('writes everything when nothing is filtered, and says why it could not', async () => {
    const table = <FeatureExchange trainingId={TRAINING_ID} table={defaultTable} />;
    const { user } = renderWithUser(table);
    await user.click(screen.getByRole('button', { name: 'Export' }));
    expect(screen.getByRole('switch', { name: /Only what the filter/ })).toBeDisabled();
    refuse('post', '/features/exports', { code: 'NOT_READY', message: 'No features.' }, 409);
    await user.click(screen.getByRole('button', { name: 'Write File' }));
    expect(await screen.findByText('No features.')).toBeVisible();
  });
});

describe('import', () => {
  const open = async () => {
    const table = <FeatureExchange trainingId={TRAINING_ID} table={defaultTable} />;
    const { user } = renderWithUser(table);
    await user.click(screen.getByRole('button', { name: 'Import' }));
    await user.upload(screen.getByLabelText('Choose an archive'), new File(['x'], 'f.zip'));
    return user;
  };

  it('says first what it would do', async () => {
    const seen = answer('post', '/features/upload', { job_id: 'i1' }, 202);
    const user = await open();
    await user.click(screen.getByRole('button', { name: 'Check First' }));
    await waitFor(() => expect(seen).toHaveLength(1));
    know({ id: 'i1', kind: 'feature_import', state: 'running', progress: 20 });
    expect(await screen.findByText('Reading the archive…')).toBeVisible();
    const refused = [{ neuron_index: 3, reason: 'It has no contexts.' }];
    const result = { dry_run: true, n_new: 5, n_refused: 1, refused, would_fail: null };
    know({ id: 'i1', kind: 'feature_import', state: 'succeeded', result });
    const report = await screen.findByRole('region', { name: 'Import report' });
    expect(report).toHaveTextContent('It would import');
    expect(report).toHaveTextContent('New features5');
    expect(report).toHaveTextContent('It has no contexts.');
  });

  it('says why an archive was refused, at once or by its job', async () => {
    refuse('post', '/features/upload', { code: 'VALIDATION_ERROR', message: 'Not a zip.' });
    const user = await open();
    const submit = () => user.click(screen.getAllByRole('button', { name: 'Import' }).at(-1)!);
    await submit();
    await screen.findByText('Not a zip.');
    answer('post', '/features/upload', { job_id: 'i2' }, 202);
    await submit();
    await waitFor(() => expect(screen.queryByText('Not a zip.')).toBeNull());
    const error = { error_message: 'Another dictionary.' };
    know({ id: 'i2', kind: 'feature_import', state: 'failed', ...error });
    expect(await screen.findByText('Another dictionary.')).toBeVisible();
  });
});
