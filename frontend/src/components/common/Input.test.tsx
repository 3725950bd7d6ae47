import { render, screen } from '@testing-library/react';
import { expect, it, vi } from 'vitest';
import { expectAccessible, renderWithUser } from '@/test/render';
import { Input, TextArea } from './Input';

it('ties label, hint and error to its control', async () => {
  const { container, rerender } = render(
    <Input label="Name" value="" onChange={() => undefined} hint="A short one" help="Why" />,
  );
  const input = screen.getByLabelText('Name');
  expect(input).toHaveAccessibleDescription('A short one');
  await expectAccessible(container);
  rerender(<Input label="Name" value="" onChange={() => undefined} error="Too long" />);
  expect(input).toBeInvalid();
  expect(input).toHaveAccessibleDescription('Too long');
});

it('takes texts of several lines', async () => {
  const onChange = vi.fn();
  const { user } = renderWithUser(<TextArea label="Text" value="" onChange={onChange} />);
  await user.type(screen.getByLabelText('Text'), 'a');
  expect(onChange).toHaveBeenCalledWith('a');
});
