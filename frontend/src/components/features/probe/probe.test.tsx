import { screen, waitFor, within } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { useJobStore } from '@/stores/jobStore';
import { answer, refuse } from '@/test/featureApi';
import { makeProbe, TRAINING_ID } from '@/test/featureFactories';
import { expectAccessible, renderWithUser } from '@/test/render';
import { ProbeView } from './ProbeView';

const onOpen = vi.fn();
const props = { trainingId: TRAINING_ID, onOpen };

beforeEach(() => useJobStore.setState({ byId: {} }));

describe('one text', () => {
  it('is read without a click, and says which features fire where', async () => {
    const bodies = answer('post', '/features/probe', makeProbe());
    const { user, container } = renderWithUser(<ProbeView {...props} />);
    await user.click(screen.getByRole('textbox', { name: 'Your text' }));
    // Not letter by letter: on a busy machine a text rests between two of them, and is read so far.
    await user.paste('The cat.');
    const table = await screen.findByRole('table', { name: 'Features that fire' });
    expect(bodies).toEqual([
      { training_id: TRAINING_ID, text: 'The cat.', top_k: 50, feature_ids: [] },
    ]);
    expect(screen.getByText(/3 tokens · 2 features fire · coloured by #107 cat/)).toBeVisible();
    expect(window.location.search).toContain('ptext=The+cat.');
    await expectAccessible(container);

    await user.click(screen.getByRole('button', { name: 'Colour the text by feature 108' }));
    expect(screen.getByText(/coloured by #108 stop/)).toBeVisible();
    const text = screen.getByRole('group', { name: 'Your text by tokens' });
    await user.click(within(text).getByText('cat'));
    expect(within(table).queryByText('stop')).toBeNull();
    await user.click(screen.getByRole('button', { name: 'Show the features of all tokens' }));
    await user.click(within(table).getByRole('button', { name: /#108/ }));
    expect(onOpen).toHaveBeenCalledWith(8);
  });

  it('is taken from the address, and tells how strongly one feature fires on it', async () => {
    window.history.replaceState(null, '', '?ptext=The+cat.');
    const bodies = answer('post', '/features/probe', makeProbe());
    renderWithUser(<ProbeView {...props} featureId={7} />);
    expect(await screen.findByText(/75 % of its largest activation/)).toBeVisible();
    expect(bodies[0]).toMatchObject({ top_k: 1, feature_ids: [7] });
  });

  it('says that a feature does not fire, and why a text cannot be read', async () => {
    window.history.replaceState(null, '', '?ptext=x');
    answer('post', '/features/probe', makeProbe({ features: [] }));
    const { unmount } = renderWithUser(<ProbeView {...props} featureId={9} />);
    expect(await screen.findByText(/does not fire/)).toBeVisible();
    unmount();
    refuse('post', '/features/probe', 503, { code: 'UNAVAILABLE', message: 'No worker.' });
    renderWithUser(<ProbeView {...props} />);
    expect(await screen.findByText('No worker.')).toBeVisible();
  });
});

describe('a sheet', () => {
  const figure = { auc: 0.9, low: 0.7, high: 1.1, mean_expected: 3, mean_other: 0.5 };
  const classes = [
    {
      expected: 'animal',
      n_expected: 2,
      n_other: 2,
      features: [{ id: 7, neuron_index: 107, name: 'cat', ...figure }],
    },
  ];

  it('shows how well features tell its classes apart', async () => {
    window.history.replaceState(null, '', '?pmode=sheet');
    const bodies = answer('post', '/features/probe', makeProbe({ classes }));
    const { user, container } = renderWithUser(<ProbeView {...props} />);
    await user.click(screen.getByRole('button', { name: 'Fill in an example' }));
    await user.click(screen.getByRole('button', { name: 'Try 4 Lines' }));
    const section = await screen.findByRole('region', { name: 'Class animal' });
    expect(section).toHaveTextContent('2 lines against 2 others');
    expect(section).toHaveTextContent('0.9000.70 – 1.10');
    expect(bodies[0]).toMatchObject({ top_k: 10, feature_ids: [] });
    await expectAccessible(container);
  });

  it('says what a line lacks, and is tried with Ctrl Enter', async () => {
    window.history.replaceState(null, '', '?pmode=sheet');
    const bodies = answer('post', '/features/probe', makeProbe({ classes }));
    const { user } = renderWithUser(<ProbeView {...props} featureId={7} />);
    const field = screen.getByRole('textbox', { name: 'Probe sheet' });
    await user.type(field, 'a | x{Enter}oops{Control>}{Enter}{/Control}');
    expect(screen.getByText(/Line 2 needs a class/)).toBeVisible();
    expect(bodies).toHaveLength(0);
    await user.type(field, ' | y{Control>}{Enter}{/Control}');
    await waitFor(() => expect(bodies[0]).toMatchObject({ feature_ids: [7] }));
  });
});
