import { screen } from '@testing-library/react';
import { expect, it } from 'vitest';
import { renderWithUser } from '@/test/render';
import { CopyButton } from './CopyButton';

it('copies and says so', async () => {
  const { user } = renderWithUser(<CopyButton label="Copy text" text="hello" />);
  // Looked for from before the press on: it stands there for a second and a half.
  const copied = screen.findByRole('button', { name: 'Copied' });
  await user.click(screen.getByRole('button', { name: 'Copy text' }));
  expect(await copied).toBeInTheDocument();
  expect(await navigator.clipboard.readText()).toBe('hello');
});
