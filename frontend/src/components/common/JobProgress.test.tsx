import { render, screen } from '@testing-library/react';
import { expect, it, vi } from 'vitest';
import { makeJob } from '@/test/factories';
import { expectAccessible, renderWithUser } from '@/test/render';
import { JobProgress } from './JobProgress';

it('says percent, time left, and cancels', async () => {
  const onCancel = vi.fn();
  const { user, container } = renderWithUser(
    <JobProgress label="Importing" job={makeJob()} onCancel={onCancel} />,
  );
  const bar = screen.getByRole('progressbar', { name: 'Importing' });
  expect(bar).toHaveAttribute('aria-valuenow', '40');
  expect(screen.getByText('1 min 15 s left')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Cancel' }));
  expect(onCancel).toHaveBeenCalledOnce();
  await expectAccessible(container);
});

it('tells a waiting and a cancelled job', () => {
  const waiting = makeJob({ state: 'queued', message: null, eta_seconds: null });
  const { rerender } = render(<JobProgress label="Importing" job={waiting} />);
  expect(screen.getByText('Waiting for a free worker')).toBeVisible();
  rerender(<JobProgress label="Importing" job={makeJob({ requested: 'cancel' })} />);
  expect(screen.getByText('Cancelling…')).toBeVisible();
});
