import { screen } from '@testing-library/react';
import { expect, it } from 'vitest';
import { renderWithUser } from '@/test/render';
import { InfoTip } from './InfoTip';

it('explains on hover and on focus, inside the window, and is always described', async () => {
  const { user } = renderWithUser(<InfoTip label="Seed" text="Fixes the sampling." />);
  const button = screen.getByRole('button', { name: 'About Seed' });
  expect(button).toHaveAccessibleDescription('Fixes the sampling.');
  const tip = screen.getByText('Fixes the sampling.');
  expect(tip).toHaveClass('invisible');
  await user.hover(button);
  expect(tip).not.toHaveClass('invisible');
  expect(parseFloat(tip.style.left)).toBeGreaterThanOrEqual(128);
  await user.unhover(button);
  expect(tip).toHaveClass('invisible');
  await user.tab();
  expect(tip).not.toHaveClass('invisible');
});
