import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { useJobStore } from '@/stores/jobStore';
import { useSteeringStore } from '@/stores/steeringStore';
import { makeJob } from '@/test/factories';
import { answer, refuse } from '@/test/featureApi';
import { expectAccessible } from '@/test/render';
import { makeSwept, makeSweep } from '@/test/steeringFactories';
import { openSteering, prepareSteeringScreen, READY, sweep } from '@/test/steeringScreen';

prepareSteeringScreen();

describe('the sweep', () => {
  it('starts with what the form says and opens what comes of it', async () => {
    const bodies = answer('post', '/steering/sweep', { job_id: sweep.id }, 202);
    const { user } = openSteering(`${READY}&steer_view=sweep&sweep_strengths=-1, 2`);
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
    const { user } = openSteering(`${READY}&steer_view=sweep`);
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
    const { user, container } = openSteering(`${READY}&steer_view=sweep&sweep=${sweep.id}`);
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
    openSteering(`${READY}&steer_view=sweep&sweep=${sweep.id}`);
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
    const { user } = openSteering(`${READY}&steer_view=sweep&sweep=${sweep.id}`);
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
    openSteering(`${READY}&steer_view=sweep&sweep=${sweep.id}`);
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
    const { user } = openSteering(`${READY}&steer_view=sweep&sweep=${sweep.id}`);
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
    const { user } = openSteering(`${READY}&steer_view=sweep&sweep=${sweep.id}`);
    expect(await screen.findByText('The GPU ran out of memory.')).toBeVisible();
    const gone = answer('delete', `/steering/sweeps/${sweep.id}`, failed);
    await user.click(screen.getByRole('button', { name: 'Delete this sweep' }));
    await user.click(screen.getByRole('button', { name: 'Delete' }));
    await waitFor(() => expect(gone).toHaveLength(1));
    expect(await screen.findByText('No sweep is open')).toBeVisible();
  });
});
