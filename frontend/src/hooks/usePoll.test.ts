import { act, renderHook } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { useConnectionStore } from '@/stores/connectionStore';
import { POLL_INTERVAL_MS } from '@/utils/constants';
import { useLiveFetch } from './usePoll';

beforeEach(() => {
  vi.useFakeTimers();
  useConnectionStore.setState({ status: 'away', stale: true });
});

afterEach(() => {
  vi.useRealTimers();
  useConnectionStore.setState({ status: 'connected', stale: false });
});

test('while the socket is away it is asked again and again', async () => {
  const fetch = vi.fn(() => Promise.resolve());
  renderHook(() => useLiveFetch(fetch));
  await act(() => vi.advanceTimersByTimeAsync(5 * POLL_INTERVAL_MS));
  expect(fetch).toHaveBeenCalledTimes(6);
});

test('a server that is slow to answer is not asked again meanwhile', async () => {
  const waiting: (() => void)[] = [];
  const fetch = vi.fn(() => new Promise<void>((answer) => waiting.push(answer)));
  renderHook(() => useLiveFetch(fetch));
  await act(() => vi.advanceTimersByTimeAsync(10 * POLL_INTERVAL_MS));
  expect(fetch).toHaveBeenCalledTimes(2); // at first, and the one poll that waits
  waiting.forEach((answer) => answer());
  await act(() => vi.advanceTimersByTimeAsync(POLL_INTERVAL_MS));
  expect(fetch).toHaveBeenCalledTimes(3);
});
