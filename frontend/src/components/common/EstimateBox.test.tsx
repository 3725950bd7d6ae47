import { screen } from '@testing-library/react';
import { expect, it, vi } from 'vitest';
import { makeEstimate } from '@/test/factories';
import { expectAccessible, renderWithUser } from '@/test/render';
import { EstimateBox } from './EstimateBox';

it('says what a job takes, from where that is known, and takes over what fits', async () => {
  const onProposal = vi.fn();
  const proposal = { hyperparameters: { batch_size: 512 } };
  const estimate = makeEstimate({ fit: 'does_not_fit', proposal });
  const { user, container } = renderWithUser(
    <EstimateBox {...{ estimate, onProposal }} problem={null} isOld={false} />,
  );
  const box = screen.getByRole('region', { name: 'Estimate' });
  expect(box).toHaveTextContent('Too large');
  expect(box).toHaveTextContent('Timeabout 2 min 5 s');
  // Pages of files are dropped when memory is short, so they do not count.
  expect(box).toHaveTextContent('Memory600 MBof 8 GB free');
  await user.click(screen.getByRole('button', { name: 'Use What Fits' }));
  expect(onProposal).toHaveBeenCalledWith(proposal);
  await expectAccessible(container);
});

it('says why there is no estimate', () => {
  const props = { estimate: null, onProposal: vi.fn(), isOld: false };
  const { rerender } = renderWithUser(<EstimateBox {...props} problem={null} />);
  expect(screen.getByText(/as soon as the form is filled in/)).toBeVisible();
  rerender(<EstimateBox {...props} problem={{ message: 'The store is gone.' }} />);
  expect(screen.getByText('The store is gone.')).toBeVisible();
});

it('says that a time is not known', () => {
  const time = { seconds: null, tokens_per_second: null, tokens: 5, source: 'nothing yet' };
  const estimate = makeEstimate({ time, proposal: null });
  renderWithUser(
    <EstimateBox estimate={estimate} problem={null} isOld={false} onProposal={vi.fn()} />,
  );
  expect(screen.getByText('not known yet')).toBeVisible();
  expect(screen.queryByRole('button', { name: 'Use What Fits' })).toBeNull();
});
