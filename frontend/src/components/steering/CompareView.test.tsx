import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { describe, expect, it, vi } from 'vitest';
import { realtime } from '@/services/websocket';
import { useSteeringStore } from '@/stores/steeringStore';
import { deferred } from '@/test/deferred';
import { answer, refuse } from '@/test/featureApi';
import { makeProof, makeSteeringResult } from '@/test/featureFactories';
import { expectAccessible } from '@/test/render';
import { server } from '@/test/server';
import { makeCondition, makeResolved } from '@/test/steeringFactories';
import {
  model,
  openReady,
  openSteering,
  prepareSteeringScreen,
  savedDetail,
  savedRun,
} from '@/test/steeringScreen';
import type { SteeringTokens } from '@/types/event.types';
import type { SteeringResult } from '@/types/steering.types';

prepareSteeringScreen();

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
    await user.click(screen.getByRole('button', { name: 'Where it acts' }));
    await user.click(screen.getByRole('switch', { name: 'Act on the Prompt' }));
    await user.click(button);
    await waitFor(() => expect(bodies).toHaveLength(1));
    expect(bodies[0]).toMatchObject({
      features: [{ id: 7, method: 'ablate', only_active: true }],
      steer_prompt: false,
    });
  });
});

it('shows what the reconstruction alone does as a third text', async () => {
  const plain = makeSteeringResult();
  const [kl] = plain.metrics;
  const result = makeSteeringResult({
    mode: 'reconstruction',
    condition: makeCondition(),
    reconstruction: {
      output: { ...plain.steered_output, text: ' a bird' },
      metrics: kl ? [{ ...kl, key: 'kl_mean', label: 'KL, mean', value: 0.25 }] : [],
      proof: makeProof({ mean_delta_norm_ratio: 0.125, positions_touched: 17 }),
    },
  });
  answer('post', '/steering/generate', result);
  const { user, button } = await openReady();
  await user.click(button);
  expect(await screen.findByRole('button', { name: 'Copy reconstruction text' })).toBeVisible();
  const alone = screen.getByRole('region', { name: 'Figures of the reconstruction' });
  expect(within(alone).getByText('0.2500 nats')).toBeVisible();
  expect(screen.getByText(/it missed 12.5/)).toBeVisible();
  expect(
    screen.getByText(/met at 5 of 20 positions, the largest activation being 7.25/),
  ).toBeVisible();
});

describe('an address that names a run', () => {
  it('shows it with its configuration', async () => {
    openSteering(`?tab=steering&run=${savedRun.id}`);
    expect(await screen.findByText(/texts part at token 2/)).toBeVisible();
    expect(screen.getByRole('textbox', { name: 'Prompt' })).toHaveValue('Saved prompt');
    const strengths = screen.getByRole('region', { name: 'Strengths in all units' });
    expect(within(strengths).getByText('0.5 → 3.5')).toBeVisible();
    expect(screen.getByText(/1 of them steered/)).toBeVisible();
  });

  it('says that it is gone', async () => {
    refuse('get', `/steering/runs/${savedRun.id}`, 404, {
      code: 'NOT_FOUND',
      message: 'Run is gone.',
    });
    openSteering(`?tab=steering&run=${savedRun.id}`);
    expect(await screen.findByText('Run is gone.')).toBeVisible();
  });

  it('keeps a calibrated strength as activation', async () => {
    const calibrated = makeResolved({ unit: 'kl', coefficient: 1, calibrated_kl: 0.97 });
    const result = makeSteeringResult({ features: [calibrated] });
    answer('get', `/steering/runs/${savedRun.id}`, { ...savedDetail, result });
    const { user } = openSteering(`?tab=steering&run=${savedRun.id}`);
    await user.click(await screen.findByRole('button', { name: 'keep as activation' }));
    expect(useSteeringStore.getState().config.steered[0]).toMatchObject({
      unit: 'activation',
      coefficient: 8.5,
    });
  });
});

function tokensEvent(jobId: string, branch: string, text: string): SteeringTokens {
  const figures = { row: 0, index: 0, token_id: 1, logprob: -1, base_logprob: -1, kl: 0 };
  const token = { ...figures, branch, text, read_activations: [], read_achieved: [] };
  const timestamp = '2026-11-23T09:00:00Z';
  return { type: 'steering.tokens', seq: 1, timestamp, data: { job_id: jobId, tokens: [token] } };
}
