import { act, fireEvent, screen, waitFor } from '@testing-library/react';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { App } from './App';
import { realtime } from './services/websocket';
import { useConnectionStore } from './stores/connectionStore';
import { useDatasetStore } from './stores/datasetStore';
import { useJobStore } from './stores/jobStore';
import { toast } from './stores/uiStore';
import { jobEvent, makeDataset, makeJob, makeSystemInfo } from './test/factories';
import { expectAccessible, renderWithUser } from './test/render';
import { answer, answerPage } from './test/server';
import type { Wire } from './test/wire';

const wire = vi.hoisted(() => ({ current: null as Wire | null }));

vi.mock('socket.io-client', async () => {
  const { Wire } = await import('./test/wire');
  return {
    io: () => {
      wire.current = new Wire();
      return wire.current;
    },
  };
});

function connected(): Wire {
  if (!wire.current) throw new Error('The page opened no socket');
  return wire.current;
}

beforeEach(() => {
  useDatasetStore.setState({ items: null, problem: null });
  useJobStore.setState({ byId: {}, isLoaded: false });
  useConnectionStore.setState({ status: 'connecting', stale: false, reconnects: 0 });
  answer('get', '/system/info', makeSystemInfo({ device_name: 'Orin Nano' }));
  answerPage('/datasets', []);
  answerPage('/models', []);
  answerPage('/activations', []);
  answerPage('/jobs', []);
});

afterEach(() => vi.useRealTimers());
afterAll(() => realtime.disconnect());

describe('the page', () => {
  it('shows connection and device, and is accessible', async () => {
    const { container } = renderWithUser(<App />);
    expect(screen.getByText('Connecting…')).toBeVisible();
    act(() => connected().open());
    expect(await screen.findByText('API Connected')).toBeVisible();
    expect(await screen.findByText('Orin Nano')).toBeVisible();
    expect(connected().sent).toContainEqual(['subscribe', { room: 'jobs' }]);
    expect(await screen.findByText('No datasets yet')).toBeVisible();
    await expectAccessible(container);
  });

  it('follows tabs and the history', async () => {
    const { user } = renderWithUser(<App />);
    await user.click(screen.getByRole('link', { name: 'models' }));
    expect(await screen.findByText('Model Management')).toBeVisible();
    expect(window.location.search).toBe('?tab=models');
    act(() => window.history.back());
    expect(await screen.findByRole('heading', { name: 'Datasets' })).toBeVisible();
  });

  it('lists running jobs, live, and cancels one', async () => {
    const { user } = renderWithUser(<App />);
    await waitFor(() => expect(screen.getByRole('button', { name: 'No jobs' })).toBeVisible());
    const job = makeJob({ seq: 1 });
    act(() => connected().receive('job.updated', jobEvent(job)));
    await user.click(await screen.findByRole('button', { name: '1 running' }));
    expect(screen.getByRole('progressbar', { name: 'Importing dataset' })).toBeVisible();
    const cancelled = answer('post', `/jobs/${job.id}/cancel`, { ...job, state: 'cancelled' });
    await user.click(screen.getByRole('button', { name: 'Cancel' }));
    expect(await screen.findByText('Nothing is running.')).toBeVisible();
    expect(cancelled).toHaveLength(1);
    await user.keyboard('{Escape}');
    expect(screen.getByText('Nothing is running.')).not.toBeVisible();
  });

  it('fetches again after a reconnect', async () => {
    renderWithUser(<App />);
    act(() => connected().open());
    expect(await screen.findByText('No datasets yet')).toBeVisible();
    answerPage('/datasets', [makeDataset({ name: 'meanwhile' })]);
    act(() => connected().close());
    expect(screen.getByText('Reconnecting…')).toBeVisible();
    act(() => connected().open());
    expect(await screen.findByText('meanwhile')).toBeVisible();
  });

  it('polls and says so while the socket stays away', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    renderWithUser(<App />);
    act(() => connected().close());
    await act(() => vi.advanceTimersByTimeAsync(5_100));
    expect(screen.getByText('May be out of date')).toBeVisible();
    answerPage('/datasets', [makeDataset({ name: 'polled' })]);
    await act(() => vi.advanceTimersByTimeAsync(2_100));
    expect(await screen.findByText('polled')).toBeVisible();
  });

  it('notices events that the broker lost', async () => {
    vi.useFakeTimers({ shouldAdvanceTime: true });
    // So that everything is fetched once: an opened socket may be a reconnect, which fetches again.
    useConnectionStore.setState({ status: 'connected' });
    renderWithUser(<App />);
    // What was asked for at first may no longer be on its way when the answers change.
    expect(await screen.findByText('No datasets yet')).toBeVisible();
    await waitFor(() => expect(useJobStore.getState().isLoaded).toBe(true));
    const job = makeJob({ seq: 1 });
    act(() => connected().receive('job.updated', jobEvent(job)));
    await act(() => vi.advanceTimersByTimeAsync(100));
    answerPage('/jobs', [{ ...job, seq: 2, state: 'succeeded' }] as never);
    answerPage('/datasets', [makeDataset({ name: 'lost and found' })]);
    await act(() => vi.advanceTimersByTimeAsync(5_000));
    expect(await screen.findByText('lost and found')).toBeVisible();
  });

  it('goes everywhere by keyboard, and tells the keys', async () => {
    // The second key of two is waited for a second; no stall of the machine may pass for that.
    vi.useFakeTimers({ toFake: ['Date'] });
    const { user } = renderWithUser(<App />);
    await user.keyboard('gm');
    expect(window.location.search).toBe('?tab=models');
    await user.keyboard('gx');
    await user.keyboard('?');
    expect(await screen.findByRole('dialog', { name: 'Keyboard' })).toBeVisible();
    await user.keyboard('{Escape}');
    expect(screen.queryByRole('dialog')).toBeNull();
    await user.keyboard('{Control>}k{/Control}');
    const field = screen.getByRole('combobox', { name: 'Go to' });
    await user.type(field, 'nothing like it');
    expect(screen.getByText('Nothing matches.')).toBeVisible();
    await user.clear(field);
    await user.type(field, 'jobs{Enter}');
    expect(window.location.search).toBe('?tab=jobs');
    expect(screen.queryByRole('combobox', { name: 'Go to' })).toBeNull();
  });

  it('shows toasts', () => {
    renderWithUser(<App />);
    act(() => void toast('success', 'Saved'));
    expect(screen.getByText('Saved')).toBeVisible();
    // At once: after five seconds it goes by itself.
    fireEvent.click(screen.getByRole('button', { name: 'Dismiss' }));
    expect(screen.queryByText('Saved')).toBeNull();
  });
});
