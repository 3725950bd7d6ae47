import { act, screen, waitFor, within } from '@testing-library/react';
import { beforeEach, describe, expect, it } from 'vitest';
import { useJobStore } from '@/stores/jobStore';
import { makeJob } from '@/test/factories';
import { TRAINING_ID } from '@/test/featureFactories';
import { expectAccessible, renderWithUser } from '@/test/render';
import { answer, answerPage, refuse } from '@/test/server';
import { MeasureMenu, MeasureProgress } from './MeasureMenu';

const MODEL = { kind: 'model', name: 'SmolLM2-Instruct', model_id: TRAINING_ID };
const SERVER = { kind: 'endpoint', name: 'http://127.0.0.1:8080', model_id: null };

async function open() {
  const rendered = renderWithUser(
    <>
      <MeasureMenu trainingId={TRAINING_ID} />
      <MeasureProgress trainingId={TRAINING_ID} />
    </>,
  );
  await rendered.user.click(screen.getByRole('button', { name: 'Measure' }));
  return rendered;
}

beforeEach(() => {
  useJobStore.setState({ byId: {} });
  answerPage('/jobs', []);
  answer('get', '/features/label-writers', []);
});

describe('scores', () => {
  it('are started, show how far they are, and why they failed', async () => {
    const seen = answer('post', '/features/score', { job_id: 's' }, 202);
    const { user, container } = await open();
    await expectAccessible(container);
    await user.click(screen.getByRole('button', { name: 'Score Features' }));
    await waitFor(() => expect(seen[0]?.body).toEqual({ training_id: TRAINING_ID }));
    await waitFor(() =>
      expect(screen.queryByRole('button', { name: 'Score Features' })).toBeNull(),
    );
    const job = makeJob({ kind: 'feature_score', resource_id: TRAINING_ID, progress: 30 });
    act(() => useJobStore.setState({ byId: { [job.id]: job } }));
    expect(screen.getByText('30 %')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Measure' }));
    expect(screen.getByRole('button', { name: 'Score Features' })).toBeDisabled();
    const failed = { ...job, state: 'failed' as const, error_message: 'No contexts.' };
    act(() => useJobStore.setState({ byId: { [job.id]: failed } }));
    expect(screen.getByText('No contexts.')).toBeVisible();
  });

  it('say why they were not started', async () => {
    refuse('post', '/features/score', { code: 'NOT_READY', message: 'No features.' }, 409);
    const { user } = await open();
    await user.click(screen.getByRole('button', { name: 'Score Features' }));
    expect(await screen.findByText('No features.')).toBeVisible();
  });
});

describe('an audit', () => {
  const result = { n_checked: 100, n_wrong: 0, wrong: [], largest_error: 0.004, tolerance: 0.05 };
  const done = makeJob({ kind: 'feature_audit', state: 'succeeded', result });

  it('is started and tells what it found', async () => {
    answerPage('/jobs', [done]);
    const seen = answer('post', '/features/audit', { job_id: 'a' }, 202);
    const { user } = await open();
    const part = screen.getByRole('region', { name: 'Audit Examples' });
    expect(
      await within(part).findByText(/^100 of 100 examples came out the same/),
    ).toHaveTextContent(
      'the largest difference was 0.4 % of the maximum, up to 5.0 % is rounding.',
    );
    await user.click(screen.getByRole('button', { name: 'Audit Examples' }));
    await waitFor(() => expect(seen[0]?.body).toEqual({ training_id: TRAINING_ID }));
  });

  it('names the features that came out otherwise', async () => {
    const wrong = [1, 2, 3, 4, 5, 6].map((index) => ({ feature_id: 9, neuron_index: index }));
    answerPage('/jobs', [{ ...done, result: { ...result, n_wrong: 6, wrong } }]);
    await open();
    const verdict = await screen.findByText(/^94 of 100/);
    expect(verdict).toHaveTextContent('Not the same: #1, #2, #3, #4, #5 and 1 more.');
  });

  it('tells nothing of a result that it cannot read', async () => {
    answerPage('/jobs', [{ ...done, result: {} }]);
    await open();
    expect(screen.queryByText(/came out the same/)).toBeNull();
  });
});

describe('labels', () => {
  it('are written by a model of this machine', async () => {
    answer('get', '/features/label-writers', [MODEL, SERVER]);
    const seen = answer('post', '/features/labels', { job_id: 'l' }, 202);
    const { user } = await open();
    const send = await screen.findByRole('button', { name: 'Write Labels' });
    const limit = screen.getByLabelText('Features, those that fire most first');
    for (const [wrong, why] of [
      ['0', '1 to 10,000'],
      ['1.5', 'Whole numbers only'],
      ['many', 'Not a number'],
    ] as const) {
      await user.clear(limit);
      expect(screen.getByText('Type a number')).toBeVisible();
      await user.type(limit, wrong);
      expect(screen.getByText(why)).toBeVisible();
      expect(send).toBeDisabled();
    }
    await user.clear(limit);
    await user.type(limit, '20');
    await user.click(send);
    const body = { training_id: TRAINING_ID, limit: 20, model_id: TRAINING_ID };
    await waitFor(() => expect(seen[0]?.body).toEqual(body));
  });

  it('say how many were written last time', async () => {
    answer('get', '/features/label-writers', [MODEL]);
    const result = { n_asked: 6, n_written: 1, model: 'SmolLM2' };
    answerPage('/jobs', [makeJob({ kind: 'feature_label', state: 'succeeded', result })]);
    await open();
    expect(await screen.findByText(/^Last time SmolLM2/)).toHaveTextContent(
      'was asked about 6 and labelled 1; the others keep what they had.',
    );
  });

  it('are written by a server, whose model is named', async () => {
    answer('get', '/features/label-writers', [MODEL, SERVER]);
    const seen = answer('post', '/features/labels', { job_id: 'l' }, 202);
    const { user } = await open();
    await user.selectOptions(await screen.findByLabelText('Written by'), SERVER.name);
    const send = screen.getByRole('button', { name: 'Write Labels' });
    expect(send).toBeDisabled();
    await user.type(screen.getByLabelText('Model of the server'), 'qwen3');
    refuse('post', '/features/labels', { code: 'CONFLICT', message: 'A job is at it.' }, 409);
    await user.click(send);
    expect(await screen.findByText('A job is at it.')).toBeVisible();
    const again = answer('post', '/features/labels', { job_id: 'l' }, 202);
    await user.click(send);
    const body = { training_id: TRAINING_ID, limit: 100, endpoint_model: 'qwen3' };
    await waitFor(() => expect(again[0]?.body).toEqual(body));
    expect(seen).toEqual([]);
  });

  it('say what is missing where nothing could write them', async () => {
    await open();
    expect(await screen.findByText(/^Nothing here could write them/)).toBeVisible();
  });
});
