import { act, renderHook } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import { useDebounced } from './useDebounced';

afterEach(() => vi.useRealTimers());

const pass = (ms: number) =>
  act(() => {
    vi.advanceTimersByTime(ms);
  });

it('gives what is typed once it has rested, and nothing before', () => {
  vi.useFakeTimers();
  const told: string[] = [];
  const { rerender } = renderHook(({ text }) => told.push(useDebounced(text, 500)), {
    initialProps: { text: '' },
  });
  for (const text of ['T', 'Th', 'The']) {
    rerender({ text });
    pass(499);
  }
  expect(new Set(told)).toEqual(new Set(['']));
  pass(1);
  expect(new Set(told)).toEqual(new Set(['', 'The']));
});
