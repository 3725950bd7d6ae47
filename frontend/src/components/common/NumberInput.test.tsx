import { screen } from '@testing-library/react';
import { useState } from 'react';
import { expect, it } from 'vitest';
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
