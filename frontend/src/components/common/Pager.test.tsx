import { screen } from '@testing-library/react';
import { expect, it, vi } from 'vitest';
import { renderWithUser } from '@/test/render';
import { Pager } from './Pager';

it('turns and says where it is', async () => {
  const onPage = vi.fn();
  const pagination = { page: 2, limit: 10, total: 25, has_next: true };
  const { user } = renderWithUser(<Pager pagination={pagination} noun="samples" onPage={onPage} />);
  expect(screen.getByText('Showing 11–20 of 25 samples')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Next' }));
  await user.click(screen.getByRole('button', { name: 'Previous' }));
  expect(onPage.mock.calls).toEqual([[3], [1]]);
});
