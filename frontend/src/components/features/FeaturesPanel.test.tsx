import { act, screen, waitFor } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { realtime } from '@/services/websocket';
import { useJobStore } from '@/stores/jobStore';
import { jobEvent, makeJob, makeTraining } from '@/test/factories';
import { answer, answerPage, refuse } from '@/test/featureApi';
import { TRAINING_ID } from '@/test/featureFactories';
import { prepareFeatures, training } from '@/test/featurePanel';
import { renderWithUser } from '@/test/render';
import { FeaturesPanel } from './FeaturesPanel';

beforeEach(prepareFeatures);

describe('choosing a training', () => {
  it('asks to complete one when there is none', async () => {
    answerPage('/trainings', [makeTraining({ status: 'training' })]);
    const { user } = renderWithUser(<FeaturesPanel />);
    await screen.findByText('No training to analyse yet');
    await user.click(screen.getByRole('button', { name: 'Go to Training' }));
    expect(window.location.search).toContain('tab=training');
  });

  it('says why trainings could not be read and tries again', async () => {
    refuse('get', '/trainings', 503, { code: 'SERVICE_UNAVAILABLE', message: 'Database away.' });
    const { user } = renderWithUser(<FeaturesPanel />);
    await screen.findByText('Database away.');
    answerPage('/trainings', [training]);
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByText('glass-en')).toBeVisible();
  });
});

describe('discovery', () => {
  beforeEach(() => answerPage('/trainings', [{ ...training, n_features: 0 }]));

  it('sends the settings of the form', async () => {
    const bodies = answer('post', '/features/extract', { job_id: 'j' }, 202);
    const { user } = renderWithUser(<FeaturesPanel />);
    const examples = await screen.findByRole('textbox', { name: 'Examples per feature' });
    await user.clear(examples);
    await user.type(examples, '30');
    await user.click(screen.getByRole('button', { name: 'Extract Features' }));
    await waitFor(() => expect(bodies).toHaveLength(1));
    expect(bodies[0]).toMatchObject({ training_id: TRAINING_ID, examples_per_feature: 30 });
  });

  it('does not send what the bounds forbid', async () => {
    const { user } = renderWithUser(<FeaturesPanel />);
    await user.type(await screen.findByRole('textbox', { name: 'Examples per feature' }), '999');
    expect(screen.getByText('At most 200')).toBeVisible();
    expect(screen.getByRole('button', { name: 'Extract Features' })).toBeDisabled();
  });

  it('shows a refusal where it arose', async () => {
    refuse('post', '/features/extract', 409, { code: 'NOT_READY', message: 'It still runs.' });
    const { user } = renderWithUser(<FeaturesPanel />);
    await user.click(await screen.findByRole('button', { name: 'Extract Features' }));
    expect(await screen.findByText('It still runs.')).toBeVisible();
    expect(screen.getByText('NOT_READY')).toBeVisible();
  });

  it('shows progress, and the table when the pass is done', async () => {
    const job = makeJob({ kind: 'feature_extract', resource_id: TRAINING_ID, progress: 37 });
    useJobStore.setState({ byId: { [job.id]: job } });
    const listeners = new Set<(event: never) => void>();
    vi.spyOn(realtime, 'on').mockImplementation((name, handler) => {
      if (name === 'job.updated') listeners.add(handler);
      return () => listeners.delete(handler);
    });
    renderWithUser(<FeaturesPanel />);
    expect(await screen.findByText('37 %')).toBeVisible();
    expect(screen.queryByRole('button', { name: 'Extract Features' })).toBeNull();

    answerPage('/trainings', [training]);
    const result = { n_features: 2, n_alive: 1, n_tokens: 50_000, mean_l0: 31.5, seconds: 3 };
    const done = makeJob({ ...job, state: 'succeeded', seq: 9, result });
    answerPage('/jobs', [done]);
    act(() => {
      useJobStore.setState({ byId: { [job.id]: done } });
      for (const hear of listeners) hear(jobEvent(done) as never);
    });
    expect(await screen.findByText('50.0 %')).toBeVisible();
    expect(screen.getByText('50K')).toBeVisible();
    expect(await screen.findByRole('button', { name: 'Open feature 107' })).toBeVisible();
  });
});
