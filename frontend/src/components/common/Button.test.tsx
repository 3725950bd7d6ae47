import { render, screen } from '@testing-library/react';
import { Play } from 'lucide-react';
import { expect, it, vi } from 'vitest';
import { Button } from './Button';

it('spins and refuses clicks while busy', () => {
  const onClick = vi.fn();
  render(
    <Button busy icon={Play} onClick={onClick}>
      Start
    </Button>,
  );
  const button = screen.getByRole('button', { name: 'Start' });
  expect(button).toBeDisabled();
  expect(button).toHaveAttribute('aria-busy', 'true');
});
