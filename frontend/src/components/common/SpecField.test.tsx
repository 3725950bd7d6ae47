import { screen } from '@testing-library/react';
import { expect, it, vi } from 'vitest';
import { renderWithUser } from '@/test/render';
import type { FieldSpec } from '@/types/form.types';
import { SpecField } from './SpecField';

const spec: FieldSpec = {
  type: 'integer',
  required: false,
  nullable: false,
  default: 8,
  help: 'Latents per model dimension.',
  unit: 'x d_model',
  min: 1,
  max: 256,
  options: null,
};

it('follows the description of a request field', async () => {
  const onChange = vi.fn();
  const { user, rerender } = renderWithUser(
    <SpecField spec={spec} label="Expansion" value={8} onChange={onChange} choices={[4, 16]} />,
  );
  await user.selectOptions(screen.getByLabelText('Expansion'), '16x');
  expect(onChange).toHaveBeenLastCalledWith(16);
  expect(screen.getByRole('option', { name: '8x' })).toBeInTheDocument();

  rerender(
    <SpecField
      spec={{ ...spec, type: 'string', options: ['topk', 'relu'] }}
      label="Activation"
      value="topk"
      onChange={onChange}
    />,
  );
  await user.selectOptions(screen.getByLabelText('Activation'), 'ReLU');
  expect(onChange).toHaveBeenLastCalledWith('relu');

  rerender(
    <SpecField
      spec={{ ...spec, type: 'boolean' }}
      label="Steer"
      value={false}
      onChange={onChange}
    />,
  );
  await user.click(screen.getByRole('switch', { name: 'Steer' }));
  expect(onChange).toHaveBeenLastCalledWith(true);

  rerender(
    <SpecField
      spec={{ ...spec, nullable: true, help: 'Cap; empty means all.' }}
      label="Cap"
      value={null}
      onChange={onChange}
    />,
  );
  expect(screen.getByPlaceholderText('all')).toHaveAccessibleDescription('1 to 256');

  rerender(
    <SpecField spec={{ ...spec, type: 'string' }} label="Word" value="" onChange={onChange} />,
  );
  await user.type(screen.getByLabelText('Word'), 'x');
  expect(onChange).toHaveBeenLastCalledWith('x');
});
