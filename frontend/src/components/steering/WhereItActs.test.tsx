import { screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { useSteeringStore } from '@/stores/steeringStore';
import { useUiStore } from '@/stores/uiStore';
import { answer, refuse } from '@/test/featureApi';
import { makeFeature, makeSteeringResult } from '@/test/featureFactories';
import { expectAccessible } from '@/test/render';
import {
  model,
  openReady,
  openSteering,
  prepareSteeringScreen,
  READY,
} from '@/test/steeringScreen';

prepareSteeringScreen();

describe('where it acts', () => {
  const openWhere = async () => {
    const rendered = await openReady();
    await rendered.user.click(screen.getByRole('button', { name: 'Where it acts' }));
    return rendered;
  };

  it('sends places, tokens, another feature and the mode', async () => {
    const bodies = answer('post', '/steering/generate', makeSteeringResult());
    const asked = answer('post', `/models/${model.id}/tokenize`, {
      tokens: [{ id: 40, text: ' cat' }],
      named: [{ id: 40, text: ' cat' }],
    });
    const { user, button } = await openWhere();
    await user.type(screen.getByRole('textbox', { name: 'Only at positions' }), '3, 7-9');
    await user.type(screen.getByRole('textbox', { name: 'To position' }), '12');
    await user.type(screen.getByRole('textbox', { name: 'Only at these tokens' }), ' cat');
    await waitFor(() =>
      expect(screen.getByRole('button', { name: 'Add the tokens' })).toBeEnabled(),
    );
    expect(asked.at(-1)).toMatchObject({ text: ' cat' });
    await user.click(screen.getByRole('button', { name: 'Add the tokens' }));
    const tokens = screen.getByRole('list', { name: 'Tokens at which it acts' });
    expect(await within(tokens).findByText('·cat')).toBeVisible();
    await user.type(
      screen.getByRole('searchbox', { name: 'Search a feature for the condition' }),
      'dig',
    );
    await user.click(await screen.findByRole('button', { name: 'Only where #108 fires' }));
    const threshold = screen.getByRole('textbox', { name: 'Above' });
    await user.clear(threshold);
    expect(await screen.findByText('Correct the marked settings.')).toBeVisible();
    await user.type(threshold, '1.5');
    await user.click(screen.getByRole('button', { name: 'Reconstruction' }));
    await user.click(button);
    await waitFor(() => expect(bodies).toHaveLength(1));
    expect(bodies[0]).toMatchObject({
      positions: [3, 7, 8, 9],
      window: [0, 12],
      token_ids: [40],
      condition: { feature_id: 8, threshold: 1.5 },
      mode: 'reconstruction',
    });
    expect(screen.getByRole('button', { name: 'Where it acts (5 changed)' })).toBeVisible();
    await waitFor(() => expect(window.location.search).toContain('steer_if=8%3A1.5'));
  });

  it('marks what cannot be and does not send it', async () => {
    const { user, button, container } = await openWhere();
    await user.type(screen.getByRole('textbox', { name: 'Only at positions' }), 'here');
    expect(screen.getByText(/Whole numbers and ranges/)).toBeVisible();
    expect(button).toBeDisabled();
    await user.clear(screen.getByRole('textbox', { name: 'Only at positions' }));
    await user.click(screen.getByRole('switch', { name: 'Act on the Prompt' }));
    await user.click(screen.getByRole('switch', { name: 'Act on New Tokens' }));
    expect(screen.getAllByText(/Act on the prompt, on generated tokens, or on both/)).toHaveLength(
      2,
    );
    await expectAccessible(container);
  });

  it('refuses a condition that is read after the edit', async () => {
    answer('get', '/features/9', makeFeature({ id: 9, neuron_index: 109, layer: 3 }));
    openSteering(`${READY}&steer_if=9:0.5`);
    expect(await screen.findByText(/is read at layer 3, after the edit at layer/)).toBeVisible();
    expect(screen.getByRole('button', { name: 'Generate Comparison' })).toBeDisabled();
  });

  it('drops a condition whose feature is gone', async () => {
    refuse('get', '/features/9', 404, { code: 'NOT_FOUND', message: 'Deleted.' });
    openSteering(`${READY}&steer_if=9:0.5`);
    expect(await screen.findByRole('button', { name: 'Where it acts (1 changed)' })).toBeVisible();
    await waitFor(() => expect(useSteeringStore.getState().config.where.condition).toBeNull());
    expect(useUiStore.getState().toasts[0]?.message).toContain('no longer there');
  });
});
