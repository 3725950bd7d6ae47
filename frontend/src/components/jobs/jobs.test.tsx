import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, describe, expect, it } from 'vitest';
import { useJobStore } from '@/stores/jobStore';
import { makeJob, makeModel } from '@/test/factories';
import { expectAccessible, renderWithUser } from '@/test/render';
import { answer, answerPage, refuse } from '@/test/server';
import { JobsPanel } from './JobsPanel';
import { RunningJobs } from './RunningJobs';
import { byQueue, placeOf, secondsTaken } from './jobRows';

const TIME = '2026-11-23T09:00:00Z';

function show(live: ReturnType<typeof makeJob>[]) {
  useJobStore.setState({
    byId: Object.fromEntries(live.map((job) => [job.id, job])),
    isLoaded: true,
    problem: null,
  });
  return renderWithUser(<JobsPanel />);
}

beforeEach(() => {
  for (const list of ['jobs', 'datasets', 'models', 'activations', 'trainings'])
    answerPage(`/${list}`, []);
});

describe('the jobs view', () => {
  it('shows each queue with what runs first and what waits behind it', async () => {
    const runs = makeJob({ queue: 'training', kind: 'training_run', state: 'running' });
    const waits = makeJob({ queue: 'training', kind: 'training_run', state: 'queued' });
    const { container } = show([waits, runs]);
    const queue = screen.getByRole('region', { name: 'Queue training' });
    const [first, second] = within(queue).getAllByRole('listitem');
    expect(within(first!).getByRole('progressbar')).toBeVisible();
    expect(within(second!).getByText('1 before it in this queue')).toBeVisible();
    expect(await screen.findByText('No job has ended yet')).toBeVisible();
    await expectAccessible(container);
  });

  it('cancels a job, and says beside it why that failed', async () => {
    const job = makeJob({ state: 'running' });
    const { user } = show([job]);
    refuse('post', `/jobs/${job.id}/cancel`, { code: 'CONFLICT', message: 'It has ended.' }, 409);
    await user.click(screen.getByRole('button', { name: 'Cancel' }));
    expect(await screen.findByText('It has ended.')).toBeVisible();
    answer('post', `/jobs/${job.id}/cancel`, { ...job, state: 'cancelled' });
    await user.click(screen.getByRole('button', { name: 'Cancel' }));
    expect(await screen.findByText('Nothing is running')).toBeVisible();
  });

  it('keeps filter and opened job in the address, and leads to what failed', async () => {
    const failed = makeJob({
      kind: 'model_import',
      resource_id: '00000000-0000-4000-8000-00000000dddd',
      resource_type: 'model',
      state: 'failed',
      error_code: 'DISK_FULL',
      error_message: 'The disk is full.',
      started_at: TIME,
      finished_at: '2026-11-23T09:01:30Z',
    });
    answer('get', `/jobs/${failed.id}/log`, {
      lines: ['reading', 'no space left'],
      size_bytes: 21,
      truncated: false,
    });
    const retried = answer('post', `/jobs/${failed.id}/retry`, makeJob({ state: 'queued' }), 202);
    const seen = answerPage('/jobs', [failed]);
    const { user } = show([]);
    await user.click(await screen.findByRole('button', { name: 'Failed' }));
    expect(window.location.search).toBe('?jobs=failed');
    await waitFor(() => expect(seen.at(-1)?.url.searchParams.getAll('state')).toEqual(['failed']));
    await user.click(await screen.findByRole('button', { name: /^Importing model/ }));
    expect(screen.getByText('The disk is full.')).toBeVisible();
    expect(screen.getByText('1 min 30 s')).toBeVisible();
    expect(await screen.findByText(/no space left/)).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Do it again' }));
    await waitFor(() => expect(retried).toHaveLength(1));
    await user.click(screen.getByRole('button', { name: 'Show what it worked on' }));
    expect(window.location.search).toContain(`model=${String(failed.resource_id)}`);
  });
});

it('names what each job worked on', async () => {
  const model = makeModel({ name: 'glass-en' });
  answerPage('/models', [model]);
  answerPage('/jobs', [
    makeJob({ kind: 'model_import', resource_type: 'model', resource_id: model.id }),
    makeJob({ kind: 'steering_generate', resource_type: null, prompt: 'Once upon' }),
  ]);
  show([]);
  expect(await screen.findByRole('button', { name: /Importing model · ?glass-en/ })).toBeVisible();
  expect(screen.getByRole('button', { name: /Generating · ?“Once upon”/ })).toBeVisible();
});

it('names a generation in the header by its prompt while it runs', async () => {
  const job = makeJob({ kind: 'steering_generate', resource_type: null, prompt: 'Once upon' });
  useJobStore.setState({ byId: { [job.id]: job }, isLoaded: true, problem: null });
  const { user } = renderWithUser(<RunningJobs />);
  await user.click(screen.getByRole('button', { name: '1 running' }));
  expect(screen.getByText('Generating “Once upon”')).toBeVisible();
});

describe('rows of jobs', () => {
  it('stand by queue, in the order in which the worker takes them', () => {
    const waits = makeJob({ queue: 'training', state: 'queued' });
    const runs = makeJob({ queue: 'training', state: 'running' });
    const other = makeJob({ queue: 'downloads', state: 'running' });
    expect(byQueue([waits, other, runs])).toEqual([
      { queue: 'downloads', jobs: [other] },
      { queue: 'training', jobs: [runs, waits] },
    ]);
  });

  it('know where their thing is shown; what was deleted is nowhere', () => {
    const of = (fields: Partial<ReturnType<typeof makeJob>>) =>
      placeOf(makeJob({ resource_id: 'x', ...fields }));
    expect(of({ resource_type: 'dataset' })).toEqual({ tab: 'datasets', dataset: 'x' });
    expect(of({ resource_type: 'training', kind: 'feature_extract' })).toEqual({
      tab: 'features',
      training: 'x',
    });
    expect(of({ resource_type: 'dataset', kind: 'dataset_delete' })).toBeNull();
    expect(of({ resource_type: 'dataset', resource_id: null })).toBeNull();
  });

  it('took no time that was not measured', () => {
    expect(secondsTaken({ started_at: TIME, finished_at: null })).toBeNull();
    expect(secondsTaken({ started_at: TIME, finished_at: '2026-11-23T09:00:02Z' })).toBe(2);
  });
});
