import { act, screen, waitFor, within } from '@testing-library/react';
import { beforeEach, describe, expect, it } from 'vitest';
import { useActivationStore } from '@/stores/activationStore';
import { useDatasetStore } from '@/stores/datasetStore';
import { useModelStore } from '@/stores/modelStore';
import { applyTrainingProgress, useMetricsStore, useTrainingStore } from '@/stores/trainingStore';
import {
  makeActivation,
  makeCheckpoint,
  makeDataset,
  makeEstimate,
  makeJob,
  makeModel,
  makePoint,
  makeTraining,
  progressEvent,
} from '@/test/factories';
import { expectAccessible, renderWithUser } from '@/test/render';
import { answer, answerPage, refuse } from '@/test/server';
import type { Training } from '@/types/training.types';
import { TrainingPanel } from './TrainingPanel';

const model = makeModel();
const dataset = makeDataset();
const store = makeActivation({ model_id: model.id, dataset_id: dataset.id });

function serve(trainings: Training[]): void {
  answerPage('/trainings', trainings);
  for (const training of trainings) {
    answer('get', `/trainings/${training.id}/metrics`, [makePoint({ step: 10 })]);
    answer('get', `/trainings/${training.id}`, training);
  }
}

beforeEach(() => {
  useDatasetStore.setState({ items: null, problem: null });
  useModelStore.setState({ items: null, problem: null });
  useActivationStore.setState({ items: null, problem: null });
  useTrainingStore.setState({ items: null, problem: null });
  useMetricsStore.setState({ byTraining: {} });
  Element.prototype.scrollIntoView = () => undefined;
  answerPage('/models', [model]);
  answerPage('/datasets', [dataset]);
  answerPage('/activations', [store]);
  answerPage('/templates/training', []);
  answer('post', '/trainings/estimate', makeEstimate());
});

describe('the configuration', () => {
  it('starts a training with the defaults of the API and jumps to its card', async () => {
    serve([]);
    const { user, container } = renderWithUser(<TrainingPanel />);
    expect(await screen.findByText('No training yet')).toBeVisible();
    const start = screen.getByRole('button', { name: 'Start Training' });
    await waitFor(() => expect(start).toBeEnabled());
    expect(screen.getByText(/The dictionary has/)).toHaveTextContent('has 1,024 latents');
    await expectAccessible(container);

    const training = makeTraining();
    const created = { training_id: training.id, status: 'initializing', job_id: 'j' };
    const seen = answer('post', '/trainings', created, 201);
    answer('get', `/trainings/${training.id}`, training);
    answer('get', `/trainings/${training.id}/metrics`, []);
    await user.selectOptions(screen.getByLabelText('Layer'), 'Layer 2');
    await user.clear(screen.getByLabelText('Training Steps'));
    await user.type(screen.getByLabelText('Training Steps'), '300');
    await user.selectOptions(screen.getByLabelText('Expansion Factor'), '16x');
    await user.click(start);
    expect(await screen.findByText('glass-en + small-corpus')).toBeVisible();
    // The form's own values are there too, before or behind: they are written when typing rests.
    const address = new URLSearchParams(window.location.search);
    expect([address.get('tab'), address.get('training')]).toEqual(['training', training.id]);
    expect(await screen.findByRole('log')).toBeVisible();
    expect(seen[0]?.body).toMatchObject({
      activation_id: store.id,
      layer: 2,
      hook_type: 'residual',
      encoder_type: 'sparse',
      hyperparameters: { training_steps: 300, expansion_factor: 16, activation: 'topk' },
    });
  });

  it('refuses what cannot be', async () => {
    serve([]);
    const { user } = renderWithUser(<TrainingPanel />);
    const start = screen.getByRole('button', { name: 'Start Training' });
    await waitFor(() => expect(start).toBeEnabled());
    const k = screen.getByLabelText('Active Latents (k)');
    await user.clear(k);
    await user.type(k, '2000');
    expect(screen.getByText('At most the 1,024 latents')).toBeVisible();
    expect(start).toBeDisabled();
    await user.clear(k); // the width then decides
    expect(start).toBeEnabled();
    await user.clear(screen.getByLabelText('Training Steps'));
    expect(screen.getByText('Type a number')).toBeVisible();
  });

  it('counts latents from the width of what is read', async () => {
    const heads = makeActivation({
      model_id: model.id,
      dataset_id: dataset.id,
      hook_types: ['residual', 'z'],
      metadata: {
        hooks: [
          { hook_type: 'residual', d_model: 128 },
          { hook_type: 'z', d_model: 256 },
        ],
      },
    });
    serve([]);
    answerPage('/activations', [heads]);
    const { user } = renderWithUser(<TrainingPanel />);
    const type = await screen.findByLabelText('Activation Type');
    const k = screen.getByLabelText('Active Latents (k)');
    await user.clear(k);
    await user.type(k, '3000');
    expect(screen.getByText('At most the 1,024 latents')).toBeVisible();
    await user.selectOptions(type, 'Attention Heads');
    expect(screen.getByText('At most the 2,048 latents')).toBeVisible();
  });

  it('shows the fields of the chosen activation only', async () => {
    serve([]);
    const { user } = renderWithUser(<TrainingPanel />);
    expect(screen.queryByLabelText('L1 Coefficient (λ)')).toBeNull();
    await user.selectOptions(screen.getByLabelText('Activation'), 'ReLU');
    expect(screen.getByLabelText('L1 Coefficient (λ)')).toBeVisible();
    expect(screen.queryByLabelText('Active Latents (k)')).toBeNull();
    await user.click(screen.getByRole('button', { name: 'Advanced Hyperparameters' }));
    expect(screen.getByLabelText('LR Schedule')).toHaveValue('trapezoid');
  });

  it('offers what a transcoder and a nested dictionary need, and sends only that', async () => {
    serve([]);
    const { user } = renderWithUser(<TrainingPanel />);
    const start = screen.getByRole('button', { name: 'Start Training' });
    await waitFor(() => expect(start).toBeEnabled());
    await user.selectOptions(screen.getByLabelText('Encoder Type'), 'Transcoder');
    expect(screen.getByText(/none holds both yet/)).toBeVisible();
    expect(start).toBeDisabled();

    const both = makeActivation({
      model_id: model.id,
      dataset_id: dataset.id,
      hook_types: ['mlp_input', 'mlp'],
    });
    act(() => useActivationStore.setState({ items: [store, both] }));
    expect(screen.getByLabelText('Activation Type')).toHaveDisplayValue('MLP Input → MLP Output');
    await user.selectOptions(screen.getByLabelText('Activation'), 'BatchTopK');
    await user.click(screen.getByRole('switch', { name: 'Linear Skip Path' }));
    expect(screen.getByLabelText('Skip Path Rank')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Advanced Hyperparameters' }));
    const sizes = screen.getByLabelText('Matryoshka Sizes');
    await user.type(sizes, '256, 128');
    expect(screen.getByText('Rising whole numbers, with commas between')).toBeVisible();
    expect(start).toBeDisabled();
    await user.clear(sizes);
    await user.type(sizes, '128, 256');
    const training = makeTraining();
    const created = { training_id: training.id, status: 'initializing', job_id: 'j' };
    const seen = answer('post', '/trainings', created, 201);
    answer('get', `/trainings/${training.id}`, training);
    answer('get', `/trainings/${training.id}/metrics`, []);
    await user.click(start);
    await waitFor(() => expect(seen).toHaveLength(1));
    const body = seen[0]?.body as { hyperparameters: Record<string, unknown> };
    expect(body).toMatchObject({
      activation_id: both.id,
      hook_type: 'mlp_input',
      encoder_type: 'transcoder',
      hyperparameters: { activation: 'batchtopk', skip: true, matryoshka_sizes: [128, 256] },
    });
    expect(body.hyperparameters).not.toHaveProperty('l1_coefficient');
  });

  it('puts the refusal of a field beside the field', async () => {
    serve([]);
    refuse('post', '/trainings', {
      code: 'VALIDATION_ERROR',
      message: 'Some settings cannot be used.',
      details: { errors: [{ field: 'hyperparameters.k', message: 'must not exceed 16' }] },
    });
    const { user } = renderWithUser(<TrainingPanel />);
    const start = screen.getByRole('button', { name: 'Start Training' });
    await waitFor(() => expect(start).toBeEnabled());
    await user.click(start);
    expect(await screen.findByText('Some settings cannot be used.')).toBeVisible();
  });

  it('leads to the extraction when nothing is stored', async () => {
    serve([]);
    answerPage('/activations', []);
    const { user } = renderWithUser(<TrainingPanel />);
    await user.click(await screen.findByRole('button', { name: 'Extract Activations' }));
    expect(window.location.search).toBe(`?tab=models&extract=${model.id}`);
  });

  it('takes the store named in the URL, until something else is chosen', async () => {
    serve([]);
    const other = makeDataset({ name: 'other' });
    const linked = makeActivation({ model_id: model.id, dataset_id: other.id, layers: [3] });
    answerPage('/datasets', [dataset, other]);
    answerPage('/activations', [store, linked]);
    window.history.replaceState(null, '', `?activation=${linked.id}`);
    const { user } = renderWithUser(<TrainingPanel />);
    await waitFor(() => expect(screen.getByLabelText('Dataset')).toHaveValue(other.id));
    expect(screen.getByLabelText('Layer')).toHaveDisplayValue('Layer 3');
    await user.selectOptions(screen.getByLabelText('Dataset'), 'small-corpus');
    expect(screen.getByLabelText('Layer')).toHaveDisplayValue('Layer 1');
    // What was chosen instead comes into the address after a rest.
    expect(new URLSearchParams(window.location.search).has('activation')).toBe(false);
    await user.selectOptions(screen.getByLabelText('Model'), 'glass-en');
    await user.selectOptions(screen.getByLabelText('Activation Store'), store.id);
    await user.selectOptions(screen.getByLabelText('Encoder Type'), 'Transcoder');
    expect(screen.getByLabelText('Encoder Type')).toHaveValue('transcoder');
  });
});

describe('a card', () => {
  it('shows figures that move with events', async () => {
    const training = makeTraining();
    serve([training]);
    const { user, container } = renderWithUser(<TrainingPanel />);
    const card = await screen.findByRole('article', { name: training.name });
    expect(within(card).getByText('0.5000')).toBeVisible();
    expect(within(card).getByText('90K tokens/s')).toBeVisible();
    await user.click(within(card).getByRole('button', { name: 'Show Live Metrics' }));
    expect(await within(card).findByRole('log')).toHaveTextContent('step 10');
    act(() => applyTrainingProgress(progressEvent(training.id)));
    expect(await within(card).findByText('0.2500')).toBeVisible();
    await waitFor(() => expect(within(card).getByRole('log')).toHaveTextContent('loss 0.2500'));
    await expectAccessible(container);
  });

  it('pauses and stops while training', async () => {
    const training = makeTraining();
    serve([training]);
    const paused = answer('post', `/trainings/${training.id}/pause`, training);
    refuse(
      'post',
      `/trainings/${training.id}/stop`,
      { code: 'ILLEGAL_TRANSITION', message: 'It has ended.' },
      409,
    );
    const { user } = renderWithUser(<TrainingPanel />);
    await user.click(await screen.findByRole('button', { name: 'Pause' }));
    await waitFor(() => expect(paused).toHaveLength(1));
    const stop = screen.getByRole('button', { name: 'Stop' });
    await waitFor(() => expect(stop).toBeEnabled());
    await user.click(stop);
    expect(await screen.findByText('It has ended.')).toBeVisible();
  });

  it('says that a pause is on its way', async () => {
    const job = makeJob({ kind: 'training_run', requested: 'pause' });
    serve([makeTraining({ job })]);
    renderWithUser(<TrainingPanel />);
    expect(await screen.findByRole('button', { name: 'Pausing…' })).toBeDisabled();
    expect(screen.getByRole('button', { name: 'Stop' })).toBeDisabled();
  });

  it('resumes a pause and retries an error', async () => {
    const [paused, failed] = [
      makeTraining({ status: 'paused', job: makeJob({ state: 'paused' }) }),
      makeTraining({
        status: 'error',
        job: makeJob({ state: 'failed', error_message: 'Out of memory.', error_code: 'GPU_OOM' }),
      }),
    ];
    serve([paused, failed]);
    const resumed = [paused, failed].map(({ id }) =>
      answer('post', `/trainings/${id}/resume`, paused),
    );
    const { user } = renderWithUser(<TrainingPanel />);
    await user.click(await screen.findByRole('button', { name: 'Resume' }));
    expect(screen.getByText('Out of memory.')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Retry from last checkpoint' }));
    await waitFor(() => expect(resumed.flat()).toHaveLength(2));
  });

  it('starts a stopped training anew', async () => {
    const training = makeTraining({ status: 'stopped', job: makeJob({ state: 'stopped' }) });
    serve([training]);
    const created = { training_id: training.id, status: 'initializing', job_id: 'j' };
    const seen = answer('post', '/trainings', created, 201);
    const { user } = renderWithUser(<TrainingPanel />);
    await user.click(await screen.findByRole('button', { name: 'Retry' }));
    await waitFor(() => expect(seen).toHaveLength(1));
    expect(seen[0]?.body).toMatchObject({ layer: 1, hyperparameters: { k: 32 } });
  });

  it('shows held-out figures with their definitions and leads to the features', async () => {
    const figure = (key: string, label: string, value: number, unit = '') => ({
      key,
      label,
      value,
      unit,
      definition: `What ${label} means`,
      n_tokens: 20_000,
      n_documents: 40,
      interval: null,
      verdict: null,
      guide: null,
    });
    const training = makeTraining({
      status: 'completed',
      progress: 100,
      job: makeJob({ state: 'succeeded' }),
      evaluation: {
        figures: [
          figure('explained_variance', 'Explained variance', 0.853),
          figure('dead_share', 'Dead latents', 0.012, 'share'),
          figure('l0', 'L0', 32, 'latents/token'),
          figure('cosine', 'Cosine', 0.93),
        ],
        raw: {},
      },
    });
    serve([training]);
    const { user } = renderWithUser(<TrainingPanel />);
    const section = await screen.findByRole('region', { name: 'Held-out evaluation' });
    expect(within(section).getByText('0.853')).toBeVisible();
    expect(within(section).getByText('1.2 %')).toBeVisible();
    expect(within(section).getByText('32 latents/token')).toBeVisible();
    expect(
      within(section).getByRole('button', { name: 'About Explained variance' }),
    ).toHaveAccessibleDescription(
      'What Explained variance means On 20K held-out tokens of 40 documents.',
    );
    await user.click(within(section).getByRole('button', { name: 'All figures (4)' }));
    expect(within(section).getByText('0.93')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Discover Features' }));
    expect(window.location.search).toBe(`?tab=features&training=${training.id}`);
  });

  it('waits, deletes and reports', async () => {
    const queued = makeJob({ kind: 'training_run', state: 'queued', message: 'Second in line' });
    const training = makeTraining({ status: 'initializing', job: queued, latest_metrics: null });
    serve([training]);
    refuse('delete', `/trainings/${training.id}`, { code: 'CONFLICT', message: 'In use.' }, 409);
    const { user } = renderWithUser(<TrainingPanel />);
    expect(await screen.findByText('Second in line')).toBeVisible();
    expect(screen.getByText('Queued')).toBeVisible();
    await user.click(screen.getByRole('button', { name: /^Delete training/ }));
    await user.click(screen.getByRole('button', { name: 'Delete' }));
    expect(await screen.findByText('In use.')).toBeVisible();
  });
});

describe('checkpoints', () => {
  async function openManager(training: Training) {
    serve([training]);
    const checkpoint = makeCheckpoint({ training_id: training.id });
    answer('get', `/trainings/${training.id}/checkpoints`, [checkpoint]);
    const rendered = renderWithUser(<TrainingPanel />);
    await rendered.user.click(await screen.findByRole('button', { name: 'Checkpoints (2)' }));
    const section = screen.getByRole('region', { name: 'Checkpoints' });
    expect(await within(section).findByText('Step 500')).toBeVisible();
    return { ...rendered, section, checkpoint };
  }

  it('are saved while training, not loaded', async () => {
    const training = makeTraining();
    const saved = answer('post', `/trainings/${training.id}/checkpoints`, {}, 202);
    const { user, section } = await openManager(training);
    expect(within(section).getByRole('button', { name: 'Load step 500' })).toBeDisabled();
    await user.click(within(section).getByRole('button', { name: 'Save Now' }));
    await waitFor(() => expect(saved).toHaveLength(1));
  });

  it('are loaded and deleted when paused', async () => {
    const training = makeTraining({ status: 'paused', job: makeJob({ state: 'paused' }) });
    const { user, section, checkpoint } = await openManager(training);
    const path = `/trainings/${training.id}/checkpoints/${checkpoint.id}`;
    const loaded = answer('post', `${path}/load`, training);
    const removed = answer('delete', path, checkpoint);
    await user.click(within(section).getByRole('button', { name: 'Load step 500' }));
    await waitFor(() => expect(loaded).toHaveLength(1));
    await user.click(
      within(section).getByRole('button', { name: 'Delete checkpoint of step 500' }),
    );
    await user.click(within(section).getByRole('button', { name: 'Delete' }));
    await waitFor(() => expect(removed).toHaveLength(1));
  });
});
