import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { realtime } from '@/services/websocket';
import { useModelStore } from '@/stores/modelStore';
import { defaultConfig, MAX_STEERED, useSteeringStore } from '@/stores/steeringStore';
import { noTexts } from '@/stores/steeringLive';
import { useTrainingStore } from '@/stores/trainingStore';
import { useUiStore } from '@/stores/uiStore';
import { makeModel, makeTraining } from '@/test/factories';
import { answer, answerPage, refuse } from '@/test/featureApi';
import {
  makeFeature,
  makeFeatureRow,
  makeProof,
  makeSteeringResult,
  TRAINING_ID,
} from '@/test/featureFactories';
import { expectAccessible, renderWithUser } from '@/test/render';
import { server } from '@/test/server';
import type { SteeringTokens } from '@/types/event.types';
import type { SteeringResult } from '@/types/steering.types';
import { SteeringPanel } from './SteeringPanel';

const model = makeModel();
const training = makeTraining({
  id: TRAINING_ID,
  status: 'completed',
  model_id: model.id,
  n_features: 2,
});
const READY = '?steer=7:2:m&prompt=Once';

beforeEach(() => {
  useTrainingStore.setState({ items: null, problem: null });
  useModelStore.setState({ items: null, problem: null });
  useSteeringStore.setState({
    config: defaultConfig,
    known: {},
    run: {
      state: 'idle',
      startedAt: null,
      live: noTexts,
      isStopping: false,
      result: null,
      problem: null,
    },
  });
  useUiStore.setState({ toasts: [] });
  answerPage('/trainings', [training]);
  answerPage('/models', [model]);
  answerPage('/features', [makeFeatureRow(), makeFeatureRow({ id: 8, neuron_index: 108 })]);
  answer('get', '/features/7', makeFeature());
  answer('get', '/steering/presets', []);
});

const openReady = async () => {
  window.history.replaceState(null, '', READY);
  const rendered = renderWithUser(<SteeringPanel />);
  await screen.findByText('Selected Features (1)');
  const button = await screen.findByRole('button', { name: 'Generate Comparison' });
  await waitFor(() => expect(button).toBeEnabled());
  return { ...rendered, button };
};

describe('choosing features', () => {
  it('finds, adds and removes them', async () => {
    const queries = answerPage('/features', [makeFeatureRow()]);
    const { user } = renderWithUser(<SteeringPanel />);
    await user.type(await screen.findByRole('searchbox'), 'num');
    await waitFor(() => expect(queries.at(-1)?.get('search')).toBe('num'));
    await user.click(await screen.findByRole('button', { name: 'Add feature 107' }));
    expect(screen.getByText('Selected Features (1)')).toBeVisible();
    expect(screen.getByRole('button', { name: 'Add feature 107' })).toBeDisabled();
    await waitFor(() => expect(window.location.search).toContain('steer=7%3A1%3Am'));
    await user.click(screen.getByRole('button', { name: 'Remove #107' }));
    expect(screen.getByText('Selected Features (0)')).toBeVisible();
  });

  it('says when nothing matches', async () => {
    answerPage('/features', []);
    const { user } = renderWithUser(<SteeringPanel />);
    expect(await screen.findByText(/has no features yet/)).toBeVisible();
    await user.type(screen.getByRole('searchbox'), 'zzz');
    expect(await screen.findByText('No feature matches “zzz”.')).toBeVisible();
  });

  it('says why features could not be searched', async () => {
    refuse('get', '/features', 500, { code: 'INTERNAL_ERROR', message: 'Index broken.' });
    renderWithUser(<SteeringPanel />);
    expect(await screen.findByText('Index broken.')).toBeVisible();
  });

  it('asks for a training when there is none', async () => {
    answerPage('/trainings', []);
    renderWithUser(<SteeringPanel />);
    expect(await screen.findByText(/Choose a training/)).toBeVisible();
  });

  it('takes sixteen at most', async () => {
    renderWithUser(<SteeringPanel />);
    await screen.findByRole('button', { name: 'Add feature 107' });
    act(() => {
      for (let id = 100; id < 100 + MAX_STEERED + 1; id += 1) {
        useSteeringStore.getState().addFeature(makeFeatureRow({ id }));
      }
    });
    expect(screen.getByText('Selected Features (16)')).toBeVisible();
    expect(screen.getByRole('button', { name: 'Add feature 107' })).toBeDisabled();
  });

  it('drops a feature of the address that is gone', async () => {
    refuse('get', '/features/7', 404, { code: 'NOT_FOUND', message: 'Deleted.' });
    window.history.replaceState(null, '', READY);
    renderWithUser(<SteeringPanel />);
    expect(await screen.findByText('Selected Features (0)')).toBeVisible();
    expect(useUiStore.getState().toasts[0]?.message).toContain('Deleted.');
  });
});

describe('a coefficient', () => {
  it('follows slider and quick buttons', async () => {
    const { user } = await openReady();
    const slider = screen.getByRole('slider', { name: 'Coefficient' });
    expect(slider).toHaveAttribute('aria-valuetext', '2.00 × max, amplify');
    fireEvent.change(slider, { target: { value: '-3.5' } });
    expect(screen.getByText('-3.50')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Amplify (+2)' }));
    await user.click(screen.getByRole('button', { name: 'Suppress (−2)' }));
    expect(slider).toHaveValue('-2');
    await user.click(screen.getByRole('button', { name: 'Reset (0)' }));
    expect(screen.getByText(/Every coefficient is 0/)).toBeVisible();
    expect(screen.getByRole('button', { name: 'Generate Comparison' })).toBeDisabled();
  });

  it('keeps its strength when the unit changes', async () => {
    const { user } = await openReady();
    const unit = screen.getByRole('combobox', { name: 'Unit of #107' });
    await user.selectOptions(unit, 'activation units');
    expect(screen.getByText('20.00')).toBeVisible();
  });
});

describe('the configuration', () => {
  it('comes from the address and goes back to it', async () => {
    const { user } = await openReady();
    const prompt = screen.getByRole('textbox', { name: 'Prompt' });
    expect(prompt).toHaveValue('Once');
    await user.click(screen.getByRole('button', { name: 'The meaning of life is' }));
    const layer = screen.getByRole('combobox', { name: 'Intervention layer' });
    await user.selectOptions(layer, 'Layer 3');
    expect(screen.getByText(/found at layer 1/)).toBeVisible();
    await user.selectOptions(
      layer,
      screen.getByRole('option', { name: /layer of the dictionary/ }),
    );
    await waitFor(() => expect(window.location.search).toContain('prompt=The+meaning'));
  });

  it('follows going back in the history', async () => {
    await openReady();
    act(() => {
      window.history.replaceState(null, '', '?steer=7:-1:a&prompt=Twice');
      window.dispatchEvent(new PopStateEvent('popstate'));
    });
    expect(screen.getByRole('textbox', { name: 'Prompt' })).toHaveValue('Twice');
  });

  it('marks a setting that the API would refuse', async () => {
    const { user } = await openReady();
    const temperature = screen.getByRole('textbox', { name: 'Temperature' });
    await user.clear(temperature);
    await user.type(temperature, '9');
    expect(screen.getByText('At most 5')).toBeVisible();
    expect(screen.getByText('Correct the marked settings.')).toBeVisible();
  });

  it('is accessible', async () => {
    const { container } = await openReady();
    await expectAccessible(container);
  });
});

describe('generating', () => {
  it('compares the two texts and proves the edit', async () => {
    const bodies = answer('post', '/steering/generate', makeSteeringResult());
    const { user, button, container } = await openReady();
    await user.click(button);
    const steered = await screen.findByRole('region', { name: 'Steered' });
    await within(steered).findByText('cat', { exact: false });
    expect(bodies[0]).toMatchObject({
      model_id: model.id,
      prompt: 'Once',
      features: [{ id: 7, coefficient: 2, unit: 'max_multiple' }],
    });
    expect(within(steered).getByText('cat', { exact: false })).toHaveClass('underline');
    expect(screen.getByText('0.4000 nats')).toBeVisible();
    expect(screen.getByText(/acted on 9 positions of layer 1, by 25.0 %/)).toBeVisible();
    expect(screen.getByText(/texts part at token 2/)).toBeVisible();
    fireEvent.pointerOver(within(steered).getByText('cat', { exact: false }));
    expect(within(steered).getByRole('status')).toHaveTextContent('KL 0.8000 nats');
    await expectAccessible(container);
  });

  it('runs with Ctrl+Enter in the prompt', async () => {
    const result = makeSteeringResult({
      proof: makeProof({ positions_touched: 1, mean_delta_norm_ratio: 0, first_divergence: null }),
    });
    answer('post', '/steering/generate', result);
    const { user } = await openReady();
    await user.click(screen.getByRole('textbox', { name: 'Prompt' }));
    await user.keyboard('{Control>}{Enter}{/Control}');
    expect(await screen.findByText('The two texts are the same.')).toBeVisible();
  });

  it('shows a refusal with its code where it arose', async () => {
    refuse('post', '/steering/generate', 409, {
      code: 'HOOK_POINT_NOT_FOUND',
      message: 'Layer 9 does not exist.',
    });
    const { user, button } = await openReady();
    await user.click(button);
    expect(await screen.findByText('Layer 9 does not exist.')).toBeVisible();
    expect(screen.getByText('HOOK_POINT_NOT_FOUND')).toBeVisible();
  });

  it('shows the texts as they are written, and keeps what there is when stopped', async () => {
    const listeners = new Set<(event: SteeringTokens) => void>();
    vi.spyOn(realtime, 'on').mockImplementation((name, handler) => {
      if (name === 'steering.tokens') listeners.add(handler);
      return () => undefined;
    });
    const stopped = deferred<SteeringResult>();
    const asked = deferred<string>();
    server.use(
      http.post('*/api/v1/steering/generate', async ({ request }) => {
        const body = (await request.json()) as { run_id: string };
        asked.resolve(body.run_id);
        return HttpResponse.json({ data: await stopped.promise });
      }),
    );
    const { user, button } = await openReady();
    await user.click(button);
    const runId = await asked.promise;
    expect(screen.getAllByText('Generating…')).toHaveLength(2);
    act(() => {
      for (const hear of listeners) hear(tokensEvent(runId, 'steered', ' dog'));
      for (const hear of listeners) hear(tokensEvent('another run', 'unsteered', ' cow'));
    });
    const steered = screen.getByRole('region', { name: 'Steered' });
    expect(within(steered).getByText('dog', { exact: false })).toBeVisible();
    expect(screen.queryByText('cow', { exact: false })).toBeNull();

    const cancelled = answer('post', `/jobs/${runId}/cancel`, {});
    await user.click(screen.getByRole('button', { name: 'Stop' }));
    await waitFor(() => expect(cancelled).toHaveLength(1));
    stopped.resolve(makeSteeringResult({ stopped: true, warnings: ['It barely acts.'] }));
    expect(await screen.findByText(/Stopped: the texts end there/)).toBeVisible();
    expect(screen.getByText('It barely acts.')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Difference' }));
    expect(screen.getByText('only steered')).toBeVisible();
    expect(window.location.search).toContain('shade=diff');
  });

  it('gives up a run that the server does not know', async () => {
    server.use(
      http.post('*/api/v1/steering/generate', () => new Promise<Response>(() => undefined)),
    );
    refuse('post', '/jobs/:id/cancel', 404, { code: 'NOT_FOUND', message: 'No such job.' });
    const { user, button } = await openReady();
    await user.click(button);
    await user.click(screen.getByRole('button', { name: 'Stop' }));
    expect(await screen.findByRole('button', { name: 'Generate Comparison' })).toBeEnabled();
  });

  it('sends method, condition and more settings', async () => {
    const bodies = answer('post', '/steering/generate', makeSteeringResult());
    const { user, button } = await openReady();
    await user.selectOptions(screen.getByRole('combobox', { name: /^Method of/ }), 'Ablate');
    await user.click(screen.getByRole('checkbox', { name: 'only where it is active' }));
    await user.click(screen.getByRole('button', { name: 'More settings' }));
    await user.click(screen.getByRole('switch', { name: 'Act on the Prompt' }));
    await user.click(button);
    await waitFor(() => expect(bodies).toHaveLength(1));
    expect(bodies[0]).toMatchObject({
      features: [{ id: 7, method: 'ablate', only_active: true }],
      steer_prompt: false,
    });
  });
});

function deferred<T>() {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((done) => (resolve = done));
  return { promise, resolve: (value: T) => resolve(value) };
}

function tokensEvent(jobId: string, branch: string, text: string): SteeringTokens {
  const figures = { row: 0, index: 0, token_id: 1, logprob: -1, base_logprob: -1, kl: 0 };
  const token = { ...figures, branch, text, read_activations: [], read_achieved: [] };
  const timestamp = '2026-11-23T09:00:00Z';
  return { type: 'steering.tokens', seq: 1, timestamp, data: { job_id: jobId, tokens: [token] } };
}

it('says when trainings and models cannot be read, and tries again', async () => {
  refuse('get', '/models', 503, { code: 'SERVICE_UNAVAILABLE', message: 'Database away.' });
  const { user } = renderWithUser(<SteeringPanel />);
  await screen.findByText('Database away.');
  answerPage('/models', [model]);
  await user.click(screen.getByRole('button', { name: 'Try again' }));
  await waitFor(() => expect(screen.queryByText('Database away.')).toBeNull());
});
