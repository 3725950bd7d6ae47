import { screen } from '@testing-library/react';
import { expect, it } from 'vitest';
import { renderWithUser } from '@/test/render';
import { Disclosure } from './Disclosure';

it('unfolds', async () => {
  const { user } = renderWithUser(<Disclosure title="More">Hidden words</Disclosure>);
  expect(screen.queryByText('Hidden words')).toBeNull();
  await user.click(screen.getByRole('button', { name: 'More' }));
  expect(screen.getByText('Hidden words')).toBeVisible();
});
