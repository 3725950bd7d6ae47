import { screen } from '@testing-library/react';
import { type SubmitEvent, useState } from 'react';
import { expect, it, vi } from 'vitest';
import { renderWithUser } from '@/test/render';
import { NumberInput } from './NumberInput';

it('lets a number be typed with an exponent', async () => {
  function Form() {
    const [value, setValue] = useState<number | null>(null);
    return (
      <>
        <NumberInput label="Rate" value={value} onChange={setValue} unit="steps" />
        <output>{String(value)}</output>
      </>
    );
  }
  const { user } = renderWithUser(<Form />);
  await user.type(screen.getByLabelText('Rate'), '1e-4');
  expect(screen.getByLabelText('Rate')).toHaveValue('1e-4');
  expect(screen.getByText('0.0001')).toBeVisible();
  await user.clear(screen.getByLabelText('Rate'));
  expect(screen.getByText('null')).toBeVisible();
});

it('says what it cannot read and keeps its form from being sent', async () => {
  const send = vi.fn((event: SubmitEvent) => event.preventDefault());
  function Form() {
    const [value, setValue] = useState<number | null>(null);
    return (
      <form onSubmit={send}>
        <NumberInput label="Documents" value={value} onChange={setValue} hint="all" />
        <button>Send</button>
      </form>
    );
  }
  const { user } = renderWithUser(<Form />);
  const field = screen.getByLabelText('Documents');
  await user.type(field, 'ten');
  expect(field).toHaveAccessibleDescription('Not a number');
  expect(field).toBeInvalid();
  await user.click(screen.getByText('Send'));
  expect(send).not.toHaveBeenCalled();
  await user.clear(field);
  expect(field).toHaveAccessibleDescription('all');
  await user.click(screen.getByText('Send'));
  expect(send).toHaveBeenCalledOnce();
});
