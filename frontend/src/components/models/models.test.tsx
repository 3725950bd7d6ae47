import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, describe, expect, it } from 'vitest';
import { useActivationStore } from '@/stores/activationStore';
import { useDatasetStore } from '@/stores/datasetStore';
import { useModelStore } from '@/stores/modelStore';
import {
  makeActivation,
  makeArchitecture,
  makeDataset,
  makeEstimate,
  makeJob,
  makeModel,
  makeTokenization,
} from '@/test/factories';
import { expectAccessible, renderWithUser } from '@/test/render';
import { answer, answerPage, refuse } from '@/test/server';
import { middleLayer } from './middleLayer';
import { ModelsPanel } from './ModelsPanel';

const ACCEPTED = { job_id: 'j', resource_id: null, status: 'queued' };

beforeEach(() => {
  useModelStore.setState({ items: null, problem: null });
  useActivationStore.setState({ items: null, problem: null });
  useDatasetStore.setState({ items: null, problem: null });
  answerPage('/activations', []);
  answerPage('/templates/extraction', []);
  answer('post', '/activations/estimate', makeEstimate());
});

it('starts at the middle layer', () => {
  expect([1, 4, 30].map(middleLayer)).toEqual([0, 1, 14]);
});

describe('the list', () => {
  it('shows models and their stores', async () => {
    answerPage('/models', [makeModel()]);
    answerPage('/activations', [makeActivation()]);
    const { container } = renderWithUser(<ModelsPanel />);
    expect(await screen.findByText('Your Models (1)')).toBeVisible();
    expect(screen.getByText('853K params · FP16 quantization · 1.71 MB memory')).toBeVisible();
    expect(
      await screen.findByText('L1, L2 · Residual Stream · 500K tokens · 128 MB'),
    ).toBeVisible();
    await expectAccessible(container);
  });

  it('is empty, or fails, in words', async () => {
    answerPage('/models', []);
    const { unmount } = renderWithUser(<ModelsPanel />);
    expect(await screen.findByText('No models yet')).toBeVisible();
    unmount();
    refuse('get', '/models', { code: 'SERVICE_UNAVAILABLE', message: 'Away.' }, 503);
    renderWithUser(<ModelsPanel />);
    expect(await screen.findByRole('alert')).toHaveTextContent('Away.');
  });

  it('shows what runs and what failed', async () => {
    answerPage('/models', [
      makeModel({ status: 'loading', job: makeJob({ kind: 'model_import' }) }),
      makeModel({ name: 'broken', status: 'error', error_message: 'config.json is missing.' }),
    ]);
    answerPage('/activations', [
      makeActivation({ status: 'extracting', job: makeJob({ kind: 'activation_extract' }) }),
      makeActivation({ status: 'error' }),
    ]);
    renderWithUser(<ModelsPanel />);
    expect(await screen.findByRole('progressbar', { name: 'Importing model' })).toBeVisible();
    expect(screen.getByText('config.json is missing.')).toBeVisible();
    expect(
      await screen.findByRole('progressbar', { name: 'Extracting activations' }),
    ).toBeVisible();
    expect(screen.getByText('The extraction failed.')).toBeVisible();
  });

  it('leads to a training on a store, and deletes one', async () => {
    const store = makeActivation();
    answerPage('/models', []);
    answerPage('/activations', [store]);
    const removed = answer('delete', `/activations/${store.id}`, ACCEPTED, 202);
    refuse('get', `/activations/${store.id}`, { code: 'NOT_FOUND', message: 'Gone.' }, 404);
    const { user } = renderWithUser(<ModelsPanel />);
    await user.click(await screen.findByRole('button', { name: 'Train on this' }));
    expect(window.location.search).toBe(`?tab=training&activation=${store.id}`);
    await user.click(screen.getByRole('button', { name: /^Delete activations/ }));
    await user.click(screen.getByRole('button', { name: 'Delete' }));
    await waitFor(() => expect(removed).toHaveLength(1));
  });
});

describe('adding', () => {
  it('downloads from the hub in the format that weights are kept in', async () => {
    answerPage('/models', []);
    const seen = answer('post', '/models/download', ACCEPTED, 202);
    const { user } = renderWithUser(<ModelsPanel />);
    await user.type(screen.getByLabelText('HuggingFace Model Repository'), 'a/b');
    expect(screen.getByLabelText('Quantization Format')).toHaveValue('FP16');
    await user.type(screen.getByLabelText('Access Token (optional)'), 'secret');
    await user.click(screen.getByRole('button', { name: 'Download Model from HuggingFace' }));
    await waitFor(() => expect(seen).toHaveLength(1));
    expect(seen[0]?.body).toEqual({ repo_id: 'a/b', quantization: 'FP16', access_token: 'secret' });
  });

  it('imports from a path and shows the new model', async () => {
    answerPage('/models', []);
    const model = makeModel({ name: 'mine' });
    const seen = answer('post', '/models/import', { ...ACCEPTED, resource_id: model.id }, 202);
    answer('get', `/models/${model.id}`, model);
    const { user } = renderWithUser(<ModelsPanel />);
    await user.click(screen.getByRole('button', { name: 'Folder or GGUF on this machine' }));
    await user.type(screen.getByLabelText('Path'), '/models/x.gguf');
    expect(screen.getByPlaceholderText('x')).toBeVisible();
    await user.selectOptions(screen.getByLabelText('Quantization Format'), 'Q8');
    await user.click(screen.getByRole('button', { name: 'Import Model' }));
    expect(await screen.findByText('mine')).toBeVisible();
    expect(seen[0]?.body).toEqual({ path: '/models/x.gguf', name: null, quantization: 'Q8' });
  });

  it('says what is wrong with a path', async () => {
    answerPage('/models', []);
    refuse('post', '/models/import', { code: 'MODEL_FORMAT_INVALID', message: 'No model there.' });
    const { user } = renderWithUser(<ModelsPanel />);
    await user.click(screen.getByRole('button', { name: 'Folder or GGUF on this machine' }));
    await user.type(screen.getByLabelText('Path'), '/x');
    await user.click(screen.getByRole('button', { name: 'Import Model' }));
    expect(await screen.findByRole('alert')).toHaveTextContent('No model there.');
  });
});

describe('the architecture', () => {
  it('opens from the card', async () => {
    const model = makeModel();
    answerPage('/models', [model]);
    answer('get', `/models/${model.id}/architecture`, makeArchitecture());
    const { user } = renderWithUser(<ModelsPanel />);
    await user.click(await screen.findByRole('button', { name: 'glass-en' }));
    const dialog = screen.getByRole('dialog', { name: 'glass-en Architecture' });
    expect(await within(dialog).findByText('2 for keys and values')).toBeVisible();
    expect(within(dialog).getByText('2.66x')).toBeVisible();
    await expectAccessible(dialog);
    await user.keyboard('{Escape}');
    expect(screen.queryByRole('dialog')).toBeNull();
  });

  it('says why it is not there', async () => {
    const model = makeModel();
    answerPage('/models', [model]);
    refuse('get', `/models/${model.id}/architecture`, { code: 'NOT_FOUND', message: 'Gone.' }, 404);
    window.history.replaceState(null, '', `?model=${model.id}`);
    renderWithUser(<ModelsPanel />);
    const dialog = await screen.findByRole('dialog');
    expect(await within(dialog).findByRole('alert')).toHaveTextContent('Gone.');
  });
});

describe('extracting', () => {
  it('sends layers, hook types and settings', async () => {
    const model = makeModel();
    const dataset = makeDataset({
      tokenizations: [makeTokenization({ model_id: model.id, n_tokens: 1000 })],
    });
    answerPage('/models', [model]);
    answerPage('/datasets', [dataset]);
    answer('get', `/models/${model.id}/architecture`, makeArchitecture());
    const seen = answer('post', '/activations/extract', ACCEPTED, 202);
    const { user } = renderWithUser(<ModelsPanel />);
    await user.click(await screen.findByRole('button', { name: 'Extract Activations' }));
    const dialog = screen.getByRole('dialog', { name: 'Extract Activations' });
    const start = within(dialog).getByRole('button', { name: 'Start Extraction' });
    expect(await within(dialog).findByText('about 2 min 5 s')).toBeVisible();
    await user.click(within(dialog).getByRole('button', { name: 'L1' }));
    expect(start).toBeDisabled();
    await user.click(within(dialog).getByRole('button', { name: 'Select All' }));
    await user.click(within(dialog).getByRole('button', { name: 'L3' }));
    await user.click(within(dialog).getByRole('button', { name: 'MLP Output' }));
    const heads = await within(dialog).findByRole('button', { name: 'Attention Heads' });
    expect(heads).toHaveAttribute('title', expect.stringContaining('before they are mixed'));
    await user.click(heads);
    await user.click(within(dialog).getByRole('button', { name: 'Residual Mid-Block' }));
    await user.type(within(dialog).getByLabelText('Tokens at most'), '5000');
    await expectAccessible(dialog);
    await user.click(start);
    await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
    expect(seen[0]?.body).toMatchObject({
      model_id: model.id,
      dataset_id: dataset.id,
      layers: [0, 1, 2],
      hook_types: ['residual', 'mlp', 'z', 'resid_mid'],
      max_tokens: 5000,
    });
  });

  it('says what is missing, and keeps no template of it', async () => {
    const model = makeModel();
    answerPage('/models', [model]);
    answerPage('/datasets', [makeDataset()]);
    answer('get', `/models/${model.id}/architecture`, makeArchitecture());
    answerPage('/templates/extraction', []);
    window.history.replaceState(null, '', `?extract=${model.id}`);
    const { user } = renderWithUser(<ModelsPanel />);
    const dialog = await screen.findByRole('dialog');
    const start = within(dialog).getByRole('button', { name: 'Start Extraction' });
    await waitFor(() => expect(start).toBeEnabled());
    await user.click(within(dialog).getByRole('button', { name: 'Select All' }));
    await user.click(within(dialog).getByRole('button', { name: 'Deselect All' }));
    const layers = within(dialog).getByRole('group', { name: 'Layers' });
    expect(layers).toHaveAccessibleDescription('Choose at least one layer');
    expect(start).toHaveAccessibleDescription('Correct the marked settings first.');
    await user.click(within(dialog).getByRole('button', { name: 'Select All' }));
    await user.click(within(dialog).getByRole('button', { name: 'More settings' }));
    await user.type(within(dialog).getByLabelText('Windows at most'), 'some');
    await user.click(within(dialog).getByRole('button', { name: 'Extraction Templates (0)' }));
    const save = within(dialog).getByRole('button', { name: 'Save Current Config' });
    expect(save).toBeDisabled();
    expect(save).toHaveAccessibleDescription('Correct the marked settings first.');
    await expectAccessible(dialog);
  });

  it('takes up a template', async () => {
    const model = makeModel();
    answerPage('/models', [model]);
    answerPage('/datasets', [makeDataset()]);
    answer('get', `/models/${model.id}/architecture`, makeArchitecture());
    const saved = { layers: [0, 3, 30], hook_types: ['mlp'], max_samples: 40 };
    const names = { id: 't', name: 'Quick', description: null, is_favorite: true };
    answerPage('/templates/extraction', [{ ...names, ...saved, top_k_examples: null }]);
    window.history.replaceState(null, '', `?extract=${model.id}`);
    const { user } = renderWithUser(<ModelsPanel />);
    await user.click(await screen.findByRole('button', { name: 'Extraction Templates (1)' }));
    expect(screen.getByText('layers 0, 3, 30 · mlp · 40 windows')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Load Quick' }));
    expect(screen.getByText('(2 selected)')).toBeVisible();
    expect(screen.getByRole('button', { name: 'MLP Output' })).toHaveAttribute(
      'aria-pressed',
      'true',
    );
  });

  it('stays open with what the server refused', async () => {
    const model = makeModel();
    answerPage('/models', [model]);
    answerPage('/datasets', [makeDataset()]);
    answer('get', `/models/${model.id}/architecture`, makeArchitecture());
    refuse('post', '/activations/extract', { code: 'NOT_READY', message: 'Not yet.' }, 409);
    window.history.replaceState(null, '', `?extract=${model.id}`);
    const { user } = renderWithUser(<ModelsPanel />);
    const dialog = await screen.findByRole('dialog');
    expect(await within(dialog).findByText(/Not yet tokenized for this model/)).toBeVisible();
    await user.click(within(dialog).getByRole('button', { name: 'Start Extraction' }));
    expect(await within(dialog).findByRole('alert')).toHaveTextContent('Not yet.');
  });
});
