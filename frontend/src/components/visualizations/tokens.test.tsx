import { fireEvent, render, screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it } from 'vitest';

import { nextToken, TokenInspector } from './TokenInspector';
import { TokenHighlights } from './TokenHighlights';
import { TokenLegend } from './TokenLegend';

const tokens = [
  { text: 'return', value: 0, title: 'return 0.000' },
  { text: ' None', value: 2, title: ' None 2.000' },
  { text: '\n', value: 0.5, title: 'newline 0.500' },
];

describe('TokenHighlights', () => {
  it('colours by the share of the largest value', () => {
    render(<TokenHighlights tokens={tokens} />);
    expect(screen.getByTitle('None 2.000')).toHaveStyle({
      backgroundColor: 'rgba(16,185,129,0.4)',
      color: 'rgb(255,255,255)',
    });
    expect(screen.getByTitle('newline 0.500')).toHaveTextContent('↵');
    expect(screen.getByTitle('return 0.000')).not.toHaveAttribute('style');
  });

  it('takes the maximum of the whole feature when told', () => {
    render(<TokenHighlights tokens={tokens} max={4} />);
    expect(screen.getByTitle('None 2.000')).toHaveStyle({
      backgroundColor: 'rgba(16,185,129,0.2)',
    });
  });

  it('keeps line breaks on request', () => {
    const { container } = render(<TokenHighlights tokens={tokens} breakLines />);
    expect(container.textContent).toBe('return None↵\n');
  });

  it('underlines a marked token', () => {
    render(<TokenHighlights tokens={[{ text: 'x', value: 0, title: 'first', isMarked: true }]} />);
    expect(screen.getByTitle('first')).toHaveClass('underline');
  });
});

describe('TokenInspector', () => {
  it('announces the token under the pointer', () => {
    render(<TokenInspector tokens={tokens} label="Example 1" />);
    fireEvent.pointerOver(screen.getByText('None', { exact: false }));
    expect(screen.getByRole('status')).toHaveTextContent('None 2.000');
    fireEvent.pointerLeave(screen.getByRole('group', { name: 'Example 1' }));
    expect(screen.getByRole('status')).toBeEmptyDOMElement();
  });

  it('moves among the tokens with the arrow keys', async () => {
    render(<TokenInspector tokens={tokens} label="Example 1" />);
    await userEvent.tab();
    await userEvent.keyboard('{ArrowRight}{ArrowRight}');
    expect(screen.getByRole('status')).toHaveTextContent('None 2.000');
    await userEvent.keyboard('{End}');
    expect(screen.getByRole('status')).toHaveTextContent('newline 0.500');
    await userEvent.tab();
    expect(screen.getByRole('status')).toBeEmptyDOMElement();
  });

  it.each([
    ['ArrowLeft', null, 2],
    ['ArrowLeft', 0, 0],
    ['ArrowRight', 2, 2],
    ['Home', 2, 0],
    ['x', 1, null],
  ])('key %s from %s moves to %s', (key, active, expected) => {
    expect(nextToken(key, active, 3)).toBe(expected);
  });

  it('moves nowhere without tokens', () => {
    expect(nextToken('End', null, 0)).toBeNull();
  });
});

it('explains its colours', () => {
  render(<TokenLegend label="Activation" max={12.5} />);
  expect(screen.getByText('12.5')).toBeVisible();
});
