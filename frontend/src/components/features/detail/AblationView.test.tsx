import { act, screen } from '@testing-library/react';
import { beforeEach, expect, it, vi } from 'vitest';
import { featureService } from '@/services/featureService';
import { useJobStore } from '@/stores/jobStore';
import { makeJob } from '@/test/factories';
import { answer, refuse } from '@/test/featureApi';
import { makeAblation } from '@/test/featureFactories';
import { expectAccessible, renderWithUser } from '@/test/render';
import { AblationView } from './AblationView';

beforeEach(() => useJobStore.setState({ byId: {} }));

it('shows what the model loses, where, and what the figures mean', async () => {
  answer('get', '/features/7/ablation', makeAblation());
  const { user, container } = renderWithUser(<AblationView featureId={7} />);
  expect(screen.getByText('Not ablated yet')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Run Ablation' }));
  expect(await screen.findByText('+0.1250')).toBeVisible();
  expect(screen.getByText('0.5000')).toBeVisible();
  expect(screen.getByRole('region', { name: 'Less likely without it' })).toHaveTextContent('-1.50');
  await user.hover(screen.getByText('number'));
  expect(screen.getByText(/KL 0.9000, loss –, activation 4.250/)).toBeVisible();
  expect(screen.getByText('Means over the tokens on which it fires.')).toBeVisible();
  await expectAccessible(container);
});

it('shows the progress of its job, and ends it on request', async () => {
  const ask = vi.spyOn(featureService, 'ablation');
  ask.mockReturnValue(new Promise(() => undefined));
  const job = makeJob({ kind: 'feature_ablate', state: 'running', progress: 40 });
  const { user } = renderWithUser(<AblationView featureId={7} />);
  await user.click(screen.getByRole('button', { name: 'Run Ablation' }));
  act(() => useJobStore.setState({ byId: { [job.id]: job } }));
  expect(await screen.findByText('40 %')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Cancel' }));
  expect(ask.mock.lastCall?.[2]?.aborted).toBe(true);
  expect(screen.getByText('Not ablated yet')).toBeVisible();
});

it('says why it could not run, with another try', async () => {
  refuse('get', '/features/7/ablation', 409, { code: 'NOT_READY', message: 'It never fired.' });
  const { user } = renderWithUser(<AblationView featureId={7} />);
  await user.click(screen.getByRole('button', { name: 'Run Ablation' }));
  await screen.findByText('It never fired.');
  answer('get', '/features/7/ablation', makeAblation({ mean_loss_change: -0.1 }));
  await user.click(screen.getByRole('button', { name: 'Try again' }));
  expect(await screen.findByText('-0.1000')).toBeVisible();
});
