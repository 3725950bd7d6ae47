import { act, screen, waitFor } from '@testing-library/react';
import { beforeEach, expect, it } from 'vitest';
import { useJobStore } from '@/stores/jobStore';
import { useUiStore } from '@/stores/uiStore';
import { makeJob } from '@/test/factories';
import { TRAINING_ID } from '@/test/featureFactories';
import { renderWithUser } from '@/test/render';
import { answer, answerPage, refuse } from '@/test/server';
import { ScoreButton, ScoreProgress } from './FeatureScoring';

const element = (
  <>
    <ScoreButton trainingId={TRAINING_ID} />
    <ScoreProgress trainingId={TRAINING_ID} />
  </>
);

beforeEach(() => {
  useJobStore.setState({ byId: {} });
  useUiStore.setState({ toasts: [] });
  answerPage('/jobs', []);
});

it('starts the job, shows how far it is, and why it failed', async () => {
  const seen = answer('post', '/features/score', { job_id: 's' }, 202);
  const { user } = renderWithUser(element);
  await user.click(screen.getByRole('button', { name: 'Score Features' }));
  await waitFor(() => expect(seen[0]?.body).toEqual({ training_id: TRAINING_ID }));
  const job = makeJob({ kind: 'feature_score', resource_id: TRAINING_ID, progress: 30 });
  act(() => useJobStore.setState({ byId: { [job.id]: job } }));
  expect(screen.getByText('30 %')).toBeVisible();
  expect(screen.getByRole('button', { name: 'Score Features' })).toBeDisabled();
  const failed = { ...job, state: 'failed' as const, error_message: 'No contexts.' };
  act(() => useJobStore.setState({ byId: { [job.id]: failed } }));
  expect(screen.getByText('No contexts.')).toBeVisible();
});

it('says why it was not started', async () => {
  refuse('post', '/features/score', { code: 'NOT_READY', message: 'No features.' }, 409);
  const { user } = renderWithUser(element);
  await user.click(screen.getByRole('button', { name: 'Score Features' }));
  await waitFor(() => expect(useUiStore.getState().toasts[0]?.message).toBe('No features.'));
});
