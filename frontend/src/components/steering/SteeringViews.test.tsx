import { act, fireEvent, screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { useJobStore } from '@/stores/jobStore';
import { useModelStore } from '@/stores/modelStore';
import { defaultConfig, useSteeringStore } from '@/stores/steeringStore';
import { noTexts } from '@/stores/steeringLive';
import { useTrainingStore } from '@/stores/trainingStore';
import { useUiStore } from '@/stores/uiStore';
import { makeJob, makeModel, makeTraining } from '@/test/factories';
import { answer, answerPage, refuse } from '@/test/featureApi';
import {
  makeFeature,
  makeFeatureRow,
  makeSteeringResult,
  TRAINING_ID,
} from '@/test/featureFactories';
import { expectAccessible, renderWithUser } from '@/test/render';
import { server } from '@/test/server';
import {
  makePreset,
  makeResolved,
  makeSavedRun,
  makeSweep,
  makeSwept,
} from '@/test/steeringFactories';
import * as files from '@/utils/files';
import { SteeringPanel } from './SteeringPanel';

const model = makeModel();
const training = makeTraining({
  id: TRAINING_ID,
  status: 'completed',
  model_id: model.id,
  n_features: 2,
});
const READY = '?steer=7:2:m&prompt=Once';
const sweep = makeSweep();
const run = makeSavedRun();
const detail = {
  ...run,
  settings: { temperature: 0, max_new_tokens: 12, seed: 5 },
  result: makeSteeringResult({ features: [makeResolved()], prompt: 'Saved prompt' }),
};

beforeEach(() => {
  useTrainingStore.setState({ items: null, problem: null });
  useModelStore.setState({ items: null, problem: null });
  useJobStore.setState({ byId: {}, problem: null });
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
  answerPage('/features', [makeFeatureRow()]);
  answerPage('/jobs', []);
  answerPage('/steering/sweeps', [sweep]);
  answerPage('/steering/runs', [run]);
  answer('get', '/features/7', makeFeature());
  answer('get', '/steering/presets', []);
  answer('get', `/steering/sweeps/${sweep.id}`, sweep);
  answer('get', `/steering/runs/${run.id}`, detail);
});

const open = (search: string) => {
  window.history.replaceState(null, '', search);
  return renderWithUser(<SteeringPanel />);
};

describe('the sweep', () => {
  it('starts with what the form says and opens what comes of it', async () => {
    const bodies = answer('post', '/steering/sweep', { job_id: sweep.id }, 202);
    const { user } = open(`${READY}&steer_view=sweep&sweep_strengths=-1, 2`);
    const button = await screen.findByRole('button', { name: 'Sweep Strengths' });
    await waitFor(() => expect(button).toBeEnabled());
    expect(screen.getByText(/Generates 3 texts/)).toBeVisible();
    await user.click(screen.getByRole('checkbox', { name: 'Asking in the prompt' }));
    await waitFor(() => expect(window.location.search).toContain('sweep_without=prompt'));
    await user.click(button);
    expect(await screen.findByRole('region', { name: 'Sweep of feature 107' })).toBeVisible();
    expect(bodies[0]).toMatchObject({
      prompts: ['Once'],
      features: [{ id: 7 }],
      strengths: [-1, 2],
      controls: ['random_direction', 'matched_feature', 'opposite', 'diffmean'],
    });
    expect(window.location.search).toContain(`sweep=${sweep.id}`);
  });

  it('says what is missing and what the server refuses', async () => {
    refuse('post', '/steering/sweep', 409, { code: 'NOT_READY', message: 'Model is loading.' });
    const { user } = open(`${READY}&steer_view=sweep`);
    const strengths = await screen.findByRole('textbox', { name: 'Strengths' });
    await user.clear(strengths);
    await user.type(strengths, 'much');
    expect(screen.getByRole('button', { name: 'Sweep Strengths' })).toBeDisabled();
    await user.clear(strengths);
    await user.type(strengths, '1');
    const button = screen.getByRole('button', { name: 'Sweep Strengths' });
    await waitFor(() => expect(button).toBeEnabled());
    await user.click(button);
    expect(await screen.findByText('Model is loading.')).toBeVisible();
  });

  it('shows table, choice, controls and side effects, and is accessible', async () => {
    const { user, container } = open(`${READY}&steer_view=sweep&sweep=${sweep.id}`);
    const region = await screen.findByRole('region', { name: 'Sweep of feature 107' });
    expect(within(region).getByText(/all figures here are of the other half/)).toBeVisible();
    const controls = within(region).getByRole('list', { name: /Score of the chosen strength/ });
    expect(within(controls).getByText('Random direction')).toBeVisible();
    expect(within(controls).getByText(/no name or label to ask for/)).toBeVisible();
    expect(within(region).getByText('chosen')).toBeInTheDocument();
    const effects = within(region).getByRole('region', { name: 'Side effects' });
    expect(within(effects).getByRole('button', { name: /#12 digits/ })).toBeVisible();
    await user.click(within(region).getByRole('button', { name: /^2.00 × max/ }));
    expect(within(region).getByText('a text of numbers')).toBeVisible();
    await user.click(within(region).getByRole('button', { name: 'KL p95' }));
    expect(window.location.search).toContain('sweep_chart=kl');
    await expectAccessible(container);
  });

  it('reads the chart with the arrow keys', async () => {
    open(`${READY}&steer_view=sweep&sweep=${sweep.id}`);
    const chart = await screen.findByRole('img', { name: /Score over the strength: 0.050 at -1/ });
    fireEvent.keyDown(chart, { key: 'ArrowRight' });
    const figure = screen.getByRole('figure');
    expect(within(figure).getByRole('tooltip')).toHaveTextContent('strength -1');
    fireEvent.keyDown(chart, { key: 'ArrowRight' });
    expect(within(figure).getByRole('tooltip')).toHaveTextContent('0.100');
    fireEvent.blur(chart);
    expect(within(figure).queryByRole('tooltip')).toBeNull();
  });

  it('takes a strength over into the comparison', async () => {
    const { user } = open(`${READY}&steer_view=sweep&sweep=${sweep.id}`);
    await user.click(await screen.findByRole('button', { name: 'Use this strength' }));
    expect(await screen.findByRole('button', { name: 'Generate Comparison' })).toBeVisible();
    expect(useSteeringStore.getState().config.steered).toEqual([
      { id: 7, coefficient: 1, unit: 'max_multiple' },
    ]);
  });

  it('warns where a control does as well and where nothing beat no steering', async () => {
    const even = makeSwept({
      controls: [{ ...makeSwept().controls[0]!, score: 0.6 }],
    });
    const worse = makeSwept({ id: 8, neuron_index: 108 });
    worse.best = { ...worse.best!, score: 0.1, is_held_out: false };
    const both = makeSweep({ table: { ...sweep.table!, features: [even, worse] } });
    answer('get', `/steering/sweeps/${sweep.id}`, both);
    open(`${READY}&steer_view=sweep&sweep=${sweep.id}`);
    expect(await screen.findByText(/A control does as well/)).toBeVisible();
    expect(screen.getByText(/No strength scored higher/)).toBeVisible();
    expect(screen.getByText(/measured on the same prompt/)).toBeVisible();
  });

  it('follows a running one, keeps what is done and cancels', async () => {
    const job = makeJob({ id: sweep.id, kind: 'steering_sweep', state: 'running', progress: 40 });
    const half = makeSweep({
      state: 'running',
      table: { ...sweep.table!, n_prompts_done: 1, features: [makeSwept({ best: null })] },
    });
    answer('get', `/steering/sweeps/${sweep.id}`, half);
    useJobStore.setState({ byId: { [job.id]: job } });
    const { user } = open(`${READY}&steer_view=sweep&sweep=${sweep.id}`);
    expect(await screen.findByText(/1 of 2 prompts done/)).toBeVisible();
    expect(screen.getByText('40 %')).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Delete this sweep' })).toBeNull();
    const cancelled = answer('post', `/jobs/${sweep.id}/cancel`, { ...job, state: 'cancelled' });
    answer('get', `/steering/sweeps/${sweep.id}`, {
      ...half,
      state: 'cancelled',
      table: { ...half.table!, stopped: true },
    });
    await user.click(screen.getByRole('button', { name: 'Cancel' }));
    await waitFor(() => expect(cancelled).toHaveLength(1));
    expect(await screen.findByText(/stopped, what is finished is kept/)).toBeVisible();
  });

  it('shows why one failed and deletes it', async () => {
    const failed = makeSweep({
      state: 'failed',
      table: null,
      error_code: 'GPU_OOM',
      error_message: 'The GPU ran out of memory.',
    });
    answer('get', `/steering/sweeps/${sweep.id}`, failed);
    const { user } = open(`${READY}&steer_view=sweep&sweep=${sweep.id}`);
    expect(await screen.findByText('The GPU ran out of memory.')).toBeVisible();
    const gone = answer('delete', `/steering/sweeps/${sweep.id}`, failed);
    await user.click(screen.getByRole('button', { name: 'Delete this sweep' }));
    await user.click(screen.getByRole('button', { name: 'Delete' }));
    await waitFor(() => expect(gone).toHaveLength(1));
    expect(await screen.findByText('No sweep is open')).toBeVisible();
  });
});

describe('the history', () => {
  it('lists runs, opens one with its configuration and is accessible', async () => {
    const { user, container } = open('?tab=steering&steer_view=history');
    expect(await screen.findByText('#107 number +2.00 × max')).toBeVisible();
    expect(screen.getByText('abcdef01')).toBeVisible();
    await expectAccessible(container);
    await user.click(screen.getByRole('button', { name: 'Open' }));
    expect(await screen.findByRole('textbox', { name: 'Prompt' })).toHaveValue('Saved prompt');
    expect(screen.getByText(/texts part at token 2/)).toBeVisible();
    expect(useSteeringStore.getState().config).toMatchObject({ temperature: 0, seed: 5 });
  });

  it('says that a replay is identical, or where it differs and why', async () => {
    const replay = {
      run_id: run.id,
      replay_id: run.id,
      identical: true,
      differences: [],
      environment_changes: [],
      largest_logprob_difference: 0,
    };
    answer('post', `/steering/runs/${run.id}/replay`, replay);
    const { user } = open('?steer_view=history');
    await user.click(await screen.findByRole('button', { name: 'Replay this run' }));
    expect(await screen.findByText(/Identical, token for token/)).toBeVisible();
    answer('post', `/steering/runs/${run.id}/replay`, {
      ...replay,
      identical: false,
      differences: [{ branch: 'steered', index: 2, then: ' cat', now: null }],
      environment_changes: [{ name: 'device', then: 'cpu', now: 'cuda:0' }],
    });
    await user.click(screen.getByRole('button', { name: 'Replay this run' }));
    expect(await screen.findByText(/the steered text at token 3/)).toBeVisible();
    expect(screen.getByText('device: cpu → cuda:0')).toBeVisible();
    refuse('post', `/steering/runs/${run.id}/replay`, 409, {
      code: 'NOT_READY',
      message: 'The checkpoint is gone.',
    });
    await user.click(screen.getByRole('button', { name: 'Replay this run' }));
    expect(await screen.findByText('The checkpoint is gone.')).toBeVisible();
  });

  it('exports, and says what a format cannot', async () => {
    const saved = vi.spyOn(files, 'saveBlob').mockImplementation(() => undefined);
    server.use(
      http.get(`*/api/v1/steering/runs/${run.id}/export`, ({ request }) =>
        new URL(request.url).searchParams.get('format') === 'gguf'
          ? HttpResponse.json(
              { error: { code: 'VALIDATION_ERROR', message: 'Steer a later layer.' } },
              { status: 400 },
            )
          : HttpResponse.text('print()'),
      ),
    );
    const { user } = open('?steer_view=history');
    await user.click(await screen.findByRole('button', { name: 'Export' }));
    await user.click(screen.getByRole('button', { name: /Python/ }));
    await waitFor(() => expect(saved).toHaveBeenCalledOnce());
    expect(saved.mock.calls[0]?.[0]).toBe('steering-00000000.py');
    await user.click(screen.getByRole('button', { name: /GGUF/ }));
    expect(await screen.findByText('Steer a later layer.')).toBeVisible();
  });

  it('forgets a run', async () => {
    const gone = answer('delete', `/steering/runs/${run.id}`, run);
    const { user } = open('?steer_view=history');
    await user.click(await screen.findByRole('button', { name: 'Delete this run' }));
    answerPage('/steering/runs', []);
    await user.click(screen.getByRole('button', { name: 'Delete' }));
    expect(await screen.findByText('Nothing was steered yet')).toBeVisible();
    expect(gone).toHaveLength(1);
  });
});

describe('an address that names a run', () => {
  it('shows it with its configuration', async () => {
    open(`?tab=steering&run=${run.id}`);
    expect(await screen.findByText(/texts part at token 2/)).toBeVisible();
    expect(screen.getByRole('textbox', { name: 'Prompt' })).toHaveValue('Saved prompt');
    const strengths = screen.getByRole('region', { name: 'Strengths in all units' });
    expect(within(strengths).getByText('0.5 → 3.5')).toBeVisible();
    expect(screen.getByText(/1 of them steered/)).toBeVisible();
  });

  it('says that it is gone', async () => {
    refuse('get', `/steering/runs/${run.id}`, 404, { code: 'NOT_FOUND', message: 'Run is gone.' });
    open(`?tab=steering&run=${run.id}`);
    expect(await screen.findByText('Run is gone.')).toBeVisible();
  });

  it('keeps a calibrated strength as activation', async () => {
    const calibrated = makeResolved({ unit: 'kl', coefficient: 1, calibrated_kl: 0.97 });
    const result = makeSteeringResult({ features: [calibrated] });
    answer('get', `/steering/runs/${run.id}`, { ...detail, result });
    const { user } = open(`?tab=steering&run=${run.id}`);
    await user.click(await screen.findByRole('button', { name: 'keep as activation' }));
    expect(useSteeringStore.getState().config.steered[0]).toMatchObject({
      unit: 'activation',
      coefficient: 8.5,
    });
  });
});

describe('presets', () => {
  const preset = makePreset();
  const openShelf = async () => {
    answer('get', '/steering/presets', [preset]);
    const { user } = open(READY);
    await user.click(await screen.findByRole('button', { name: 'Steering Presets (1)' }));
    return user;
  };

  it('are loaded, marked, renamed and deleted', async () => {
    const user = await openShelf();
    expect(screen.getByText('1 feature · layer 1 · T 0.2')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Load Numbers up' }));
    expect(useSteeringStore.getState().config).toMatchObject({
      prompt: 'Once',
      layer: 1,
      steered: [{ id: 7, method: 'clamp' }],
    });
    const put = answer('put', `/steering/presets/${preset.id}`, preset);
    await user.click(screen.getByRole('button', { name: 'Favourite Numbers up' }));
    await waitFor(() => expect(put[0]).toMatchObject({ is_favorite: true, name: 'Numbers up' }));
    await user.click(screen.getByRole('button', { name: 'Rename Numbers up' }));
    const field = screen.getByRole('textbox', { name: 'New name of Numbers up' });
    await user.clear(field);
    await user.type(field, 'More numbers{Enter}');
    await waitFor(() => expect(put[1]).toMatchObject({ name: 'More numbers' }));
    await user.click(screen.getByRole('button', { name: 'Rename Numbers up' }));
    await user.keyboard('x{Escape}');
    expect(put).toHaveLength(2);
    const gone = answer('delete', `/steering/presets/${preset.id}`, preset);
    await user.click(screen.getByRole('button', { name: 'Delete Numbers up' }));
    await user.click(screen.getByRole('button', { name: 'Delete' }));
    await waitFor(() => expect(gone).toHaveLength(1));
  });

  it('keep what is set now', async () => {
    const bodies = answer('post', '/steering/presets', preset, 201);
    const user = await openShelf();
    await user.type(screen.getByRole('textbox', { name: 'Name' }), 'Mine');
    await user.click(screen.getByRole('button', { name: 'Save Current Config' }));
    await waitFor(() =>
      expect(bodies[0]).toMatchObject({
        training_id: TRAINING_ID,
        name: 'Mine',
        intervention_layer: 1,
        features: [{ feature_id: 7, coefficient: 2, unit: 'max_multiple' }],
      }),
    );
  });

  it('need a feature', async () => {
    const { user } = open('?tab=steering');
    await user.click(await screen.findByRole('button', { name: /^Steering Presets/ }));
    await user.click(screen.getByRole('button', { name: 'Save Current Config' }));
    await waitFor(() =>
      expect(useUiStore.getState().toasts[0]?.message).toContain('Add a feature first'),
    );
  });
});

describe('a feature', () => {
  it('acts at a layer of its own, which the address keeps', async () => {
    const { user } = open(READY);
    const layer = await screen.findByRole('combobox', { name: 'Layer of #107' });
    await waitFor(() => expect(within(layer).getAllByRole('option').length).toBeGreaterThan(1));
    await user.selectOptions(layer, 'layer 0');
    await waitFor(() => expect(window.location.search).toContain('7%3A2%3Am%400'));
    await user.selectOptions(layer, 'the layer of the run');
    expect(useSteeringStore.getState().config.steered[0]?.layer).toBeUndefined();
  });

  it('is found by how well it steers, once that was measured', async () => {
    const queries = answerPage('/features', [makeFeatureRow()]);
    const { user } = open('?tab=steering');
    await user.click(await screen.findByRole('button', { name: 'Steers best' }));
    await waitFor(() => expect(queries.at(-1)?.get('sort_by')).toBe('output_score'));
    expect(await screen.findByText(/Not measured yet/)).toBeVisible();
    answerPage('/features', [makeFeatureRow({ output_score: 0.8123 })]);
    act(() => window.history.replaceState(null, '', '?steer_sort=output_score'));
    await user.type(screen.getByRole('searchbox'), 'n');
    expect(await screen.findByText('steers 0.812')).toBeVisible();
  });
});
