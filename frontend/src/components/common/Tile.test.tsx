import { render, screen } from '@testing-library/react';
import { expect, it } from 'vitest';
import { Tile } from './Tile';

it('shows a figure with its definition', () => {
  render(<Tile label="L0" value="32" help="Mean number of latents" note="of 1,024" />);
  const about = screen.getByRole('button', { name: 'About L0' });
  expect(about).toHaveAccessibleDescription('Mean number of latents');
});
