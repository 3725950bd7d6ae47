import { act, fireEvent, render, screen, within } from '@testing-library/react';
import { afterEach, expect, it, vi } from 'vitest';
import { Toast } from './Toast';

afterEach(() => vi.useRealTimers());

it('goes by itself, by its action and by hand', () => {
  vi.useFakeTimers();
  const onDismiss = vi.fn();
  const undo = vi.fn();
  const { unmount } = render(<Toast kind="success" message="Done" onDismiss={onDismiss} />);
  act(() => {
    vi.advanceTimersByTime(5_000);
  });
  expect(onDismiss).toHaveBeenCalledOnce();
  unmount();
  render(
    <Toast
      kind="info"
      message="Deleted"
      action={{ label: 'Undo', onClick: undo }}
      onDismiss={onDismiss}
    />,
  );
  fireEvent.click(within(document.body).getByRole('button', { name: 'Undo' }));
  fireEvent.click(screen.getByRole('button', { name: 'Dismiss' }));
  expect(undo).toHaveBeenCalledOnce();
  expect(onDismiss).toHaveBeenCalledTimes(3);
});
