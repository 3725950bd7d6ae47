import { act, screen, waitFor } from '@testing-library/react';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { realtime } from '@/services/websocket';
import { useSteeringStore } from '@/stores/steeringStore';
import { useUiStore } from '@/stores/uiStore';
import { jobEvent, makeJob } from '@/test/factories';
import { answer, refuse } from '@/test/featureApi';
import { makeExample, makeFeature, TRAINING_ID } from '@/test/featureFactories';
import { prepareFeatures } from '@/test/featurePanel';
import { expectAccessible, renderWithUser } from '@/test/render';
import { FeaturesPanel } from '../FeaturesPanel';

beforeEach(prepareFeatures);

const openDetail = async () => {
  window.history.replaceState(null, '', '?feature=7');
  const rendered = renderWithUser(<FeaturesPanel />);
  await screen.findByRole('dialog', { name: /Feature #107/ });
  await screen.findByText(/Top Activating Contexts/);
  return rendered;
};

describe('the detail', () => {
  it('opens from a row and closes with Esc', async () => {
    const { user } = renderWithUser(<FeaturesPanel />);
    await user.click(await screen.findByText('number', { selector: 'div' }));
    await screen.findByRole('dialog', { name: /Feature #107/ });
    expect(window.location.search).toContain('feature=7');
    await user.keyboard('{Escape}');
    expect(screen.queryByRole('dialog')).toBeNull();
  });

  it('shows the examples', async () => {
    await openDetail();
    expect(screen.getAllByText(/document/)).toHaveLength(2);
    expect(await screen.findByText('of 50K measured')).toBeVisible();
    await expectAccessible(screen.getByRole('dialog'));
  });

  it('is read again when a job has measured the features anew', async () => {
    const listeners = new Set<(event: never) => void>();
    vi.spyOn(realtime, 'on').mockImplementation((name, handler) => {
      if (name === 'job.updated') listeners.add(handler);
      return () => listeners.delete(handler);
    });
    await openDetail();
    answer('get', '/features/:id/activations', [makeExample()]);
    const job = makeJob({ kind: 'feature_score', resource_id: TRAINING_ID, state: 'succeeded' });
    act(() => {
      for (const hear of listeners) hear(jobEvent(job) as never);
    });
    expect(await screen.findByText('(1)')).toBeVisible();
    expect(await screen.findByText('of 50K measured')).toBeVisible();
  });

  it('shows promoted and suppressed tokens with their definition', async () => {
    const { user } = await openDetail();
    await user.click(screen.getByRole('tab', { name: 'Logit Lens' }));
    const promoted = await screen.findByRole('region', { name: 'Promoted tokens' });
    expect(promoted).toHaveTextContent('“·of”+2.50');
    expect(screen.getByText(/Direct effect/)).toBeVisible();
    expect(window.location.search).toContain('ftab=lens');
    await expectAccessible(screen.getByRole('dialog'));
  });

  it('shows histogram, quantiles and top tokens', async () => {
    const { user } = await openDetail();
    await user.click(screen.getByRole('tab', { name: 'Statistics' }));
    expect(await screen.findByRole('img', { name: /615 values/ })).toBeVisible();
    expect(screen.getByText('99 % lie below')).toBeVisible();
    expect(screen.getByText('“·number”')).toBeVisible();
    await expectAccessible(screen.getByRole('dialog'));
  });

  it('saves a label and offers to undo it', async () => {
    const bodies = answer('patch', '/features/7', makeFeature({ name: 'counts' }));
    const { user } = await openDetail();
    await user.keyboard('e');
    const field = screen.getByRole('textbox', { name: 'label' });
    await user.clear(field);
    await user.type(field, 'counts{Enter}');
    await waitFor(() => expect(bodies).toEqual([{ name: 'counts' }]));
    expect(screen.getByRole('button', { name: 'Edit label' })).toHaveFocus();
    await waitFor(() => expect(useUiStore.getState().toasts[0]?.action?.label).toBe('Undo'));
    act(() => useUiStore.getState().toasts[0]!.action!.onClick());
    await waitFor(() => expect(bodies.at(-1)).toEqual({ name: 'number' }));
  });

  it('keeps the old text on Esc and stays open', async () => {
    const { user } = await openDetail();
    await user.click(screen.getByRole('button', { name: 'Edit description' }));
    await user.type(screen.getByRole('textbox', { name: 'description' }), 'abc{Escape}');
    expect(screen.getByRole('button', { name: 'Edit description' })).toHaveTextContent(
      'Add a description',
    );
    expect(screen.getByRole('dialog')).toBeVisible();
  });

  it('goes to the next and previous feature of the table', async () => {
    const { user } = await openDetail();
    await waitFor(() => expect(screen.getByRole('button', { name: /Next feature/ })).toBeEnabled());
    await user.keyboard('j');
    await screen.findByRole('dialog', { name: /Feature #108/ });
    await user.keyboard('k');
    await screen.findByRole('dialog', { name: /Feature #107/ });
  });

  it('steers with the feature', async () => {
    const { user } = await openDetail();
    await user.click(screen.getByRole('button', { name: 'Steer with this feature' }));
    expect(useSteeringStore.getState().known[7]?.neuron_index).toBe(107);
    expect(window.location.search).toContain('tab=steering');
  });

  it('says what is wrong when a feature or its examples cannot be read', async () => {
    refuse('get', '/features/99', 404, { code: 'NOT_FOUND', message: 'No such feature.' });
    refuse('get', '/features/:id/activations', 404, { code: 'NOT_FOUND', message: 'Gone.' });
    window.history.replaceState(null, '', '?feature=99');
    renderWithUser(<FeaturesPanel />);
    expect(await screen.findByText('No such feature.')).toBeVisible();
  });

  it('says that a dead feature never fired', async () => {
    answer('get', '/features/:id/activations', []);
    window.history.replaceState(null, '', '?feature=7');
    renderWithUser(<FeaturesPanel />);
    expect(await screen.findByText('This feature never fired')).toBeVisible();
  });

  it('saves tags, cleaned of blanks', async () => {
    const bodies = answer('patch', '/features/7', makeFeature({ tags: ['a', 'b c'] }));
    const { user } = await openDetail();
    await user.click(screen.getByRole('button', { name: 'Edit tags' }));
    await user.type(screen.getByRole('textbox', { name: 'tags' }), ' a, ,b c {Enter}');
    await waitFor(() => expect(bodies).toEqual([{ tags: ['a', 'b c'] }]));
    expect(await screen.findByText('a, b c')).toBeVisible();
  });

  it('goes to the text of one’s own with t', async () => {
    const { user } = await openDetail();
    await user.keyboard('t');
    await waitFor(() => expect(screen.getByRole('textbox', { name: 'Your text' })).toHaveFocus());
    expect(window.location.search).toContain('ftab=text');
  });
});
