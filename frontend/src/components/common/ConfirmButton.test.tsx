import { screen } from '@testing-library/react';
import { expect, it, vi } from 'vitest';
import { renderWithUser } from '@/test/render';
import { ConfirmButton } from './ConfirmButton';

it('asks before it destroys', async () => {
  const onConfirm = vi.fn();
  const { user } = renderWithUser(<ConfirmButton label="Delete it" onConfirm={onConfirm} />);
  await user.click(screen.getByRole('button', { name: 'Delete it' }));
  expect(screen.getByRole('button', { name: 'Keep' })).toHaveFocus();
  await user.keyboard('{Escape}');
  await user.click(screen.getByRole('button', { name: 'Delete it' }));
  await user.click(screen.getByRole('button', { name: 'Keep' }));
  expect(onConfirm).not.toHaveBeenCalled();
  await user.click(screen.getByRole('button', { name: 'Delete it' }));
  await user.click(screen.getByRole('button', { name: 'Delete' }));
  expect(onConfirm).toHaveBeenCalledOnce();
});
