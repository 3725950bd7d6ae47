import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it, vi } from 'vitest';
import { answer, refuse } from '@/test/featureApi';
import { makeRelated } from '@/test/featureFactories';
import { expectAccessible, renderWithUser } from '@/test/render';
import { CorrelationsView } from './CorrelationsView';
import { NeighboursView } from './NeighboursView';

const correlations = {
  feature_id: 7,
  definition: 'Pearson over all tokens.',
  n_tokens: 150_000,
  features: [makeRelated(), makeRelated({ id: null, neuron_index: 9, name: null, pmi: null })],
};

describe('CorrelationsView', () => {
  it('shows every measure with its definition, and opens the other feature', async () => {
    answer('get', '/features/7/correlations', correlations);
    const onOpen = vi.fn();
    const { user, container } = renderWithUser(<CorrelationsView featureId={7} onOpen={onOpen} />);
    const table = await screen.findByRole('table', { name: 'Features that fire together' });
    const [, first, second] = within(table).getAllByRole('row');
    expect(first).toHaveTextContent('#108count0.750.251.905,495');
    expect(second).toHaveTextContent('–');
    expect(screen.getByText(/Counted on 150K tokens/)).toBeVisible();
    await user.click(screen.getByRole('button', { name: /#108/ }));
    expect(onOpen).toHaveBeenCalledWith(8);
    // One that was not measured has nothing to open.
    expect(screen.queryByRole('button', { name: /#9/ })).toBeNull();
    await expectAccessible(container);
  });

  it('says why it could not be read and tries again', async () => {
    refuse('get', '/features/7/correlations', 500, { code: 'INTERNAL_ERROR', message: 'Broke.' });
    const { user } = renderWithUser(<CorrelationsView featureId={7} onOpen={vi.fn()} />);
    await screen.findByText('Broke.');
    answer('get', '/features/7/correlations', { ...correlations, features: [] });
    await user.click(screen.getByRole('button', { name: 'Try again' }));
    expect(await screen.findByText(/No other feature fires together/)).toBeVisible();
  });
});

it('shows the nearest directions on both sides', async () => {
  answer('get', '/features/7/neighbours', {
    feature_id: 7,
    decoder: [makeRelated()],
    encoder: [],
  });
  renderWithUser(<NeighboursView featureId={7} onOpen={vi.fn()} />);
  const decoder = await screen.findByRole('region', { name: 'Writes alike (decoder)' });
  expect(decoder).toHaveTextContent('0.91');
  await waitFor(() =>
    expect(screen.getByRole('region', { name: 'Reads alike (encoder)' })).toHaveTextContent(
      'No neighbours were measured.',
    ),
  );
});
