import { screen } from '@testing-library/react';
import { expect, it } from 'vitest';
import { renderWithUser } from '@/test/render';
import { CopyButton } from './CopyButton';

it('copies and says so', async () => {
  const { user } = renderWithUser(<CopyButton label="Copy text" text="hello" />);
  await user.click(screen.getByRole('button', { name: 'Copy text' }));
  expect(await screen.findByRole('button', { name: 'Copied' })).toBeVisible();
  expect(await navigator.clipboard.readText()).toBe('hello');
});
