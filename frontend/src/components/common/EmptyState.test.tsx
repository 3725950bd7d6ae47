import { render, screen } from '@testing-library/react';
import { Database } from 'lucide-react';
import { expect, it } from 'vitest';
import { EmptyState } from './EmptyState';

it('offers the way out', () => {
  render(
    <EmptyState icon={Database} title="Nothing" hint="Add some" action={<button>Add</button>} />,
  );
  expect(screen.getByRole('button', { name: 'Add' })).toBeVisible();
});
