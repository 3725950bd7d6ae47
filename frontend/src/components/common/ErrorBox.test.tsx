import { screen } from '@testing-library/react';
import { expect, it, vi } from 'vitest';
import { renderWithUser } from '@/test/render';
import { ErrorBox } from './ErrorBox';

it('says the sentence, the code and the way on', async () => {
  const onClick = vi.fn();
  const problem = { message: 'No space.', code: 'DISK_FULL' };
  const { user } = renderWithUser(
    <ErrorBox problem={problem} action={{ label: 'Retry', onClick }} />,
  );
  expect(screen.getByRole('alert')).toHaveTextContent('No space.DISK_FULL');
  await user.click(screen.getByRole('button', { name: 'Retry' }));
  expect(onClick).toHaveBeenCalledOnce();
  await user.click(screen.getByRole('button', { name: 'Copy error details' }));
  expect(await navigator.clipboard.readText()).toContain('DISK_FULL');
});
