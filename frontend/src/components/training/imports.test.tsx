import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { useActivationStore } from '@/stores/activationStore';
import { useDatasetStore } from '@/stores/datasetStore';
import { useModelStore } from '@/stores/modelStore';
import { useTrainingStore } from '@/stores/trainingStore';
import { makeImported, makeJob, makeModel, makeParity, makeTraining } from '@/test/factories';
import { expectAccessible, renderWithUser } from '@/test/render';
import { answer, answerPage, refuse } from '@/test/server';
import type { Training } from '@/types/training.types';
import * as files from '@/utils/files';
import { navigate } from '@/utils/urlState';
import { TrainingPanel } from './TrainingPanel';

const model = makeModel();
const ORIGIN = { repo_id: 'org/gpt2-saes', subfolder: 'blocks.8', revision: 'v2' };

function serve(trainings: Training[]): void {
  answerPage('/trainings', trainings);
  for (const training of trainings) {
    answer('get', `/trainings/${training.id}`, training);
    answer('get', `/trainings/${training.id}/metrics`, []);
    const sae = { id: training.id, origin: ORIGIN, import_parity: makeParity() };
    answer('get', `/saes/${training.id}`, sae);
  }
}

beforeEach(() => {
  useDatasetStore.setState({ items: null, problem: null });
  useModelStore.setState({ items: null, problem: null });
  useActivationStore.setState({ items: null, problem: null });
  useTrainingStore.setState({ items: null, problem: null });
  Element.prototype.scrollIntoView = () => undefined;
  answerPage('/models', [model]);
  answerPage('/datasets', []);
  answerPage('/activations', []);
  answerPage('/templates/training', []);
  navigate({ tab: 'training', new_sae: 'import', sae_from: null, training: null });
});

function accepted(training: Training, path: string) {
  answer('get', `/trainings/${training.id}`, training);
  const job = { job_id: 'j', resource_id: training.id, status: 'queued' };
  return answer('post', path, job, 202);
}

describe('the form of an import', () => {
  it('downloads from the hub and jumps to the card', async () => {
    serve([]);
    const { user, container } = renderWithUser(<TrainingPanel />);
    const send = screen.getByRole('button', { name: 'Download and Import' });
    await waitFor(() => expect(screen.getByLabelText('Model')).toHaveValue(model.id));
    expect(send).toBeDisabled();
    await user.type(screen.getByLabelText('HuggingFace Repository'), 'not/a/repository');
    expect(screen.getByText('Spelled like owner/name')).toBeVisible();
    await user.clear(screen.getByLabelText('HuggingFace Repository'));
    await user.type(screen.getByLabelText('HuggingFace Repository'), 'org/gpt2-saes');
    await user.type(screen.getByLabelText('Folder in it (optional)'), 'blocks.8');
    await user.type(screen.getByLabelText('Revision (optional)'), 'v2');
    await user.type(screen.getByLabelText('Access Token (optional)'), 'hf_secret');
    await expectAccessible(container);

    const training = makeImported({ model_id: model.id });
    answer('get', `/saes/${training.id}`, { id: training.id, origin: ORIGIN, import_parity: null });
    const seen = accepted(training, '/saes/download');
    await user.click(send);
    expect(await screen.findByRole('article', { name: training.name })).toBeVisible();
    expect(new URLSearchParams(window.location.search).get('training')).toBe(training.id);
    expect(seen[0]?.body).toEqual({
      model_id: model.id,
      name: null,
      layer: null,
      hook_type: null,
      evaluate: true,
      repo_id: 'org/gpt2-saes',
      subfolder: 'blocks.8',
      revision: 'v2',
      access_token: 'hf_secret',
    });
    expect(screen.getByLabelText('Access Token (optional)')).toHaveValue('');
  });

  it('imports from a path with what its files leave open', async () => {
    serve([]);
    const { user } = renderWithUser(<TrainingPanel />);
    await user.click(screen.getByRole('button', { name: 'Folder or file on this machine' }));
    await waitFor(() => expect(screen.getByLabelText('Model')).toHaveValue(model.id));
    await user.type(screen.getByLabelText('Path'), '  /saes/eight ');
    await user.type(screen.getByLabelText('Name (optional)'), 'eight');
    await user.click(screen.getByRole('button', { name: /^Where it belongs/ }));
    const layer = screen.getByLabelText('Layer');
    const send = screen.getByRole('button', { name: 'Import Dictionary' });
    for (const [wrong, why] of [
      ['4', 'At most 3: the model has 4 layers'],
      ['-1', 'At least 0'],
      ['1.5', 'Whole numbers only'],
      ['two', 'Not a number'],
    ] as const) {
      await user.clear(layer);
      await user.type(layer, wrong);
      expect(screen.getByText(why)).toBeVisible();
      expect(send).toBeDisabled();
    }
    await user.clear(layer);
    await user.type(layer, '2');
    await user.selectOptions(screen.getByLabelText('Place'), 'MLP Output');
    await user.click(screen.getByRole('switch', { name: 'Measure on held-out documents' }));

    refuse('post', '/saes/import', {
      code: 'SAE_FORMAT_INVALID',
      message: '/saes/eight is no dictionary.',
      details: { errors: [{ field: 'path', message: 'holds no cfg.json' }] },
    });
    await user.click(send);
    expect(await screen.findByRole('alert')).toHaveTextContent('is no dictionary');
    expect(screen.getByText('holds no cfg.json')).toBeVisible();
    const seen = accepted(makeTraining(), '/saes/import');
    await user.click(send);
    await waitFor(() =>
      expect(seen[0]?.body).toEqual({
        model_id: model.id,
        name: 'eight',
        layer: 2,
        hook_type: 'mlp',
        evaluate: false,
        path: '/saes/eight',
      }),
    );
  });

  it('says what is missing where there is no model', async () => {
    serve([]);
    answerPage('/models', [makeModel({ status: 'downloading' })]);
    const { user } = renderWithUser(<TrainingPanel />);
    await user.click(await screen.findByRole('button', { name: 'Add a Model' }));
    expect(new URLSearchParams(window.location.search).get('tab')).toBe('models');
  });
});

describe('the card of an import', () => {
  it('shows where it comes from and that it is the same', async () => {
    const training = makeImported();
    serve([training]);
    const { container } = renderWithUser(<TrainingPanel />);
    const card = await screen.findByRole('article', { name: training.name });
    const proof = await within(card).findByRole('region', { name: 'Proof of the import' });
    expect(proof).toHaveTextContent('org/gpt2-saes/blocks.8 @ v2');
    expect(proof).toHaveTextContent('Yes2,048 tokens of stored activations');
    expect(proof).toHaveTextContent('0.1234by its source 0.1235');
    expect(within(card).getByText(/^Imported · glass-en · Sparse Autoencoder/)).toBeVisible();
    expect(within(card).queryByText('Loss')).toBeNull();
    await expectAccessible(container);
  });

  it('is cancelled while it runs, and repeated after it failed', async () => {
    const job = makeJob({ kind: 'sae_import', resource_type: 'training' });
    const running = makeImported({ status: 'initializing', n_checkpoints: 0, job });
    const message = 'It explains nothing of the model’s activations here.';
    const failed = makeImported({
      name: 'wrong layer',
      status: 'error',
      n_checkpoints: 0,
      job: makeJob({ kind: 'sae_import', state: 'failed', error_message: message }),
    });
    serve([running, failed]);
    const { user } = renderWithUser(<TrainingPanel />);
    const first = await screen.findByRole('article', { name: running.name });
    expect(within(first).getByText('Imported · glass-en')).toBeVisible();
    const cancelled = answer('post', `/jobs/${job.id}/cancel`, job);
    await user.click(within(first).getByRole('button', { name: 'Cancel' }));
    await waitFor(() => expect(cancelled).toHaveLength(1));

    const second = screen.getByRole('article', { name: 'wrong layer' });
    expect(within(second).getByRole('alert')).toHaveTextContent(message);
    const repeated = answer('post', `/jobs/${failed.job?.id}/retry`, makeJob());
    await user.click(within(second).getByRole('button', { name: 'Import Again' }));
    await waitFor(() => expect(repeated).toHaveLength(1));
  });
});

describe('an export', () => {
  it('is fetched once the server has compared it', async () => {
    const fetched = vi.spyOn(files, 'download').mockReturnValue();
    const training = makeImported();
    serve([training]);
    refuse('get', `/saes/${training.id}/export`, {
      code: 'EXPORT_UNSUPPORTED',
      message: 'SAELens has no form for it.',
    });
    const { user } = renderWithUser(<TrainingPanel />);
    const button = await screen.findByRole('button', { name: 'Export SAELens' });
    await user.click(button);
    expect(await screen.findByText('SAELens has no form for it.')).toBeVisible();
    expect(fetched).not.toHaveBeenCalled();

    answer('get', `/saes/${training.id}/export`, {});
    await user.click(button);
    await waitFor(() => expect(fetched).toHaveBeenCalledWith(`/api/v1/saes/${training.id}/export`));
    expect(screen.queryByText('SAELens has no form for it.')).toBeNull();
  });
});
