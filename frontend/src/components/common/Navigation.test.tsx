import { screen } from '@testing-library/react';
import { expect, it, vi } from 'vitest';
import { renderWithUser } from '@/test/render';
import { Navigation } from './Navigation';

it('navigates between sections', async () => {
  const onChange = vi.fn();
  const { user } = renderWithUser(<Navigation active="models" onChange={onChange} />);
  expect(screen.getByRole('link', { name: 'models' })).toHaveAttribute('aria-current', 'page');
  await user.click(screen.getByRole('link', { name: 'training' }));
  expect(onChange).toHaveBeenCalledWith('training');
});
