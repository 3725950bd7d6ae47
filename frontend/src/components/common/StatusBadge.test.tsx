import { render, screen } from '@testing-library/react';
import { expect, it } from 'vitest';
import { StatusBadge, statusTone } from './StatusBadge';

it('has a tone and a name', () => {
  render(<StatusBadge status="ready" />);
  expect(screen.getByText('Ready')).toBeVisible();
  expect(statusTone('error')).toBe('red');
  expect(statusTone('unheard_of')).toBe('slate');
});
