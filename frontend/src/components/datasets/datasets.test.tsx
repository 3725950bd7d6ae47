import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, describe, expect, it } from 'vitest';
import { useDatasetStore } from '@/stores/datasetStore';
import { useModelStore } from '@/stores/modelStore';
import { makeDataset, makeJob, makeModel, makeStats, makeTokenization } from '@/test/factories';
import { expectAccessible, renderWithUser } from '@/test/render';
import { answer, answerPage, refuse } from '@/test/server';
import { DatasetsPanel } from './DatasetsPanel';

const ACCEPTED = { job_id: 'j', status: 'queued', estimated_duration_seconds: null };

beforeEach(() => {
  useDatasetStore.setState({ items: null, problem: null });
  useModelStore.setState({ items: null, problem: null });
});

describe('the list', () => {
  it('goes from a skeleton to what there is', async () => {
    answerPage('/datasets', [makeDataset(), makeDataset({ name: 'other', repo_id: 'a/b' })]);
    const { container } = renderWithUser(<DatasetsPanel />);
    expect(screen.getByRole('status', { name: 'Loading datasets' })).toBeInTheDocument();
    expect(await screen.findByText('Your Datasets (2)')).toBeVisible();
    expect(screen.getByText('a/b')).toBeVisible();
    expect(screen.getAllByText('Source: Local · Size: 4.47 MB · 800 documents')).toHaveLength(2);
    await expectAccessible(container);
  });

  it('says that it is empty and what to do', async () => {
    answerPage('/datasets', []);
    renderWithUser(<DatasetsPanel />);
    expect(await screen.findByText('No datasets yet')).toBeVisible();
  });

  it('says why it could not be fetched, and tries again', async () => {
    refuse('get', '/datasets', { code: 'SERVICE_UNAVAILABLE', message: 'Database away.' }, 503);
    const { user } = renderWithUser(<DatasetsPanel />);
    expect(await screen.findByRole('alert')).toHaveTextContent('Database away.');
    answerPage('/datasets', [makeDataset()]);
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByText('Your Datasets (1)')).toBeVisible();
  });

  it('shows a running import and cancels it', async () => {
    const job = makeJob();
    answerPage('/datasets', [makeDataset({ status: 'ingesting', job })]);
    const cancelled = answer('post', `/jobs/${job.id}/cancel`, job);
    const { user } = renderWithUser(<DatasetsPanel />);
    expect(await screen.findByRole('progressbar', { name: 'Importing dataset' })).toBeVisible();
    expect(screen.queryByRole('button', { name: 'small-corpus' })).toBeNull();
    await user.click(screen.getByRole('button', { name: 'Cancel' }));
    await waitFor(() => expect(cancelled).toHaveLength(1));
  });

  it('shows why an import failed', async () => {
    const job = makeJob({
      state: 'failed',
      error_code: 'DATASET_EMPTY',
      error_message: 'The file holds no text.',
    });
    answerPage('/datasets', [makeDataset({ status: 'error', job })]);
    renderWithUser(<DatasetsPanel />);
    expect(await screen.findByRole('alert')).toHaveTextContent('The file holds no text.');
  });

  it('deletes after a second click', async () => {
    const dataset = makeDataset();
    answerPage('/datasets', [dataset]);
    const removed = answer('delete', `/datasets/${dataset.id}`, ACCEPTED, 202);
    refuse('get', `/datasets/${dataset.id}`, { code: 'NOT_FOUND', message: 'Gone.' }, 404);
    const { user } = renderWithUser(<DatasetsPanel />);
    await user.click(await screen.findByRole('button', { name: 'Delete small-corpus' }));
    await user.click(screen.getByRole('button', { name: 'Delete' }));
    expect(await screen.findByText('No datasets yet')).toBeVisible();
    expect(removed).toHaveLength(1);
  });
});

describe('adding', () => {
  beforeEach(() => {
    answerPage('/datasets', []);
  });

  it('downloads a repository, and clears the form', async () => {
    const dataset = makeDataset({ name: 'stories', status: 'downloading' });
    const accepted = { ...ACCEPTED, resource_id: dataset.id };
    const seen = answer('post', '/datasets/download', accepted, 202);
    answer('get', `/datasets/${dataset.id}`, dataset);
    const { user } = renderWithUser(<DatasetsPanel />);
    const button = screen.getByRole('button', { name: 'Download Dataset' });
    expect(button).toBeDisabled();
    await user.type(screen.getByLabelText('Dataset Repository'), 'a/b/c');
    expect(screen.getByText('Spelled like owner/name')).toBeVisible();
    await user.clear(screen.getByLabelText('Dataset Repository'));
    await user.type(screen.getByLabelText('Dataset Repository'), 'roneneldan/TinyStories');
    await user.type(screen.getByLabelText('Documents at most'), '500');
    await user.click(button);
    expect(await screen.findByText('stories')).toBeVisible();
    expect(seen[0]?.body).toMatchObject({ repo_id: 'roneneldan/TinyStories', max_documents: 500 });
    expect(screen.getByLabelText('Dataset Repository')).toHaveValue('');
  });

  it('imports a path under its own name, and shows what is wrong with it', async () => {
    refuse('post', '/datasets/import', {
      code: 'VALIDATION_ERROR',
      message: 'Nothing is there.',
      details: { errors: [{ field: 'path', message: 'does not exist' }] },
    });
    const { user } = renderWithUser(<DatasetsPanel />);
    await user.click(screen.getByRole('button', { name: 'Path on this machine' }));
    await user.type(screen.getByLabelText('Path'), '/texts/poems.txt');
    await user.click(screen.getByRole('button', { name: 'Import' }));
    expect(await screen.findByRole('alert')).toHaveTextContent('Nothing is there.');
    expect(screen.getByLabelText('Path')).toHaveAccessibleDescription('does not exist');

    const seen = answer('post', '/datasets/import', { ...ACCEPTED, resource_id: null }, 202);
    await user.click(screen.getByRole('button', { name: 'Import' }));
    await waitFor(() => expect(screen.getByLabelText('Path')).toHaveValue(''));
    expect(seen[0]?.body).toEqual({ path: '/texts/poems.txt', name: 'poems' });
  });

  it('imports the built-in corpus', async () => {
    const seen = answer('post', '/datasets/import', { ...ACCEPTED, resource_id: null }, 202);
    const { user } = renderWithUser(<DatasetsPanel />);
    await user.click(screen.getByRole('button', { name: 'Built-in corpus' }));
    await user.click(screen.getByRole('button', { name: 'Import python-docs' }));
    await waitFor(() => expect(seen).toHaveLength(1));
    expect(seen[0]?.body).toMatchObject({ builtin: 'python-docs' });
  });

  it('uploads a file', async () => {
    const seen = answer('post', '/datasets/upload', { ...ACCEPTED, resource_id: null }, 202);
    const { user } = renderWithUser(<DatasetsPanel />);
    await user.click(screen.getByRole('button', { name: 'Upload' }));
    const file = new File(['once upon a time'], 'tale.txt', { type: 'text/plain' });
    await user.upload(screen.getByLabelText('Choose a text file'), file);
    expect(screen.getByLabelText('Name')).toHaveValue('tale');
    await user.click(screen.getByRole('button', { name: 'Upload and Import' }));
    await waitFor(() => expect(seen).toHaveLength(1));
  });
});

describe('the detail', () => {
  const dataset = makeDataset({ tokenizations: [makeTokenization()] });

  async function openDetail() {
    answerPage('/datasets', [dataset]);
    answer('get', `/datasets/${dataset.id}/stats`, {
      ...makeStats({ n_tokens: 12_345, mean_tokens: 154.3, unique_tokens: 900 }),
      n_train_documents: 720,
      n_held_out_documents: 80,
      token_histogram: [{ lower: 0, upper: 100, count: 4 }],
    });
    const rendered = renderWithUser(<DatasetsPanel />);
    await rendered.user.click(await screen.findByRole('button', { name: 'small-corpus' }));
    return { ...rendered, dialog: screen.getByRole('dialog', { name: 'small-corpus' }) };
  }

  it('opens from the card, is in the URL, and shows figures', async () => {
    const { user, dialog } = await openDetail();
    expect(window.location.search).toContain(`dataset=${dataset.id}`);
    expect(await within(dialog).findByText('154.3')).toBeVisible();
    await user.click(within(dialog).getByRole('tab', { name: 'Statistics' }));
    expect(await within(dialog).findByText('12,345')).toBeVisible();
    expect(within(dialog).getByText('90.0 %')).toBeVisible();
    expect(within(dialog).getByText('Document length in tokens')).toBeVisible();
    await expectAccessible(dialog);
    await user.click(within(dialog).getByRole('button', { name: 'Close' }));
    expect(screen.queryByRole('dialog')).toBeNull();
    expect(window.location.search).toBe('');
  });

  it('pages through samples and searches them', async () => {
    const sample = { index: 0, title: 'one', text: 'The cat sat.', n_characters: 12 };
    const seen = answerPage(`/datasets/${dataset.id}/samples`, [sample], 25);
    const { user, dialog } = await openDetail();
    await user.click(within(dialog).getByRole('tab', { name: 'Samples' }));
    expect(await within(dialog).findByText('The cat sat.')).toBeVisible();
    await user.click(within(dialog).getByRole('button', { name: 'Unfold Sample #1' }));
    expect(within(dialog).getByRole('button', { name: 'Fold Sample #1' })).toBeVisible();
    await user.click(within(dialog).getByRole('button', { name: 'Next' }));
    await waitFor(() => expect(seen.at(-1)?.url.searchParams.get('page')).toBe('2'));

    answerPage(`/datasets/${dataset.id}/samples`, []);
    await user.type(within(dialog).getByRole('searchbox', { name: 'Search samples' }), 'dog');
    expect(await within(dialog).findByText('No document holds “dog”')).toBeVisible();
  });

  it('previews tokens and starts a tokenisation', async () => {
    const model = makeModel();
    answerPage('/models', [model]);
    answer('post', `/datasets/${dataset.id}/tokenize-preview`, {
      tokens: [
        { id: 1, text: 'The' },
        { id: 2, text: ' cat' },
      ],
      n_tokens: 2,
      n_characters: 7,
    });
    const seen = answer('post', `/datasets/${dataset.id}/tokenize`, ACCEPTED, 202);
    answer('get', `/datasets/${dataset.id}`, dataset);
    const { user, dialog } = await openDetail();
    await user.click(within(dialog).getByRole('tab', { name: 'Tokenization' }));
    expect(await within(dialog).findByRole('option', { name: 'glass-en' })).toBeInTheDocument();
    await user.click(within(dialog).getByRole('button', { name: 'Tokenize Preview' }));
    expect(await within(dialog).findByText('·cat')).toBeVisible();

    const length = within(dialog).getByLabelText('Max Sequence Length');
    await user.clear(length);
    await user.type(length, '4');
    const start = within(dialog).getByRole('button', { name: 'Apply & Tokenize Dataset' });
    expect(within(dialog).getByText('At least 8')).toBeVisible();
    expect(start).toBeDisabled();
    await user.clear(length);
    await user.type(length, '64');
    await user.click(start);
    expect(await within(dialog).findByText('Started: its progress is listed below.')).toBeVisible();
    expect(seen[0]?.body).toMatchObject({ model_id: model.id, max_length: 64 });
  });
});
