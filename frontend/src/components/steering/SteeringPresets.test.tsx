import { screen, waitFor } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { useSteeringStore } from '@/stores/steeringStore';
import { answer } from '@/test/featureApi';
import { TRAINING_ID } from '@/test/featureFactories';
import { makePreset } from '@/test/steeringFactories';
import { openSteering, prepareSteeringScreen, READY } from '@/test/steeringScreen';

prepareSteeringScreen();

describe('presets', () => {
  const preset = makePreset();
  const openShelf = async () => {
    answer('get', '/steering/presets', [preset]);
    const { user } = openSteering(READY);
    await user.click(await screen.findByRole('button', { name: 'Steering Presets (1)' }));
    return user;
  };

  it('are loaded, marked, renamed and deleted', async () => {
    const user = await openShelf();
    expect(screen.getByText('1 feature · layer 1 · T 0.2')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Load Numbers up' }));
    expect(useSteeringStore.getState().config).toMatchObject({
      prompt: 'Once',
      layer: null,
      steered: [{ id: 7, method: 'clamp' }],
    });
    const put = answer('put', `/steering/presets/${preset.id}`, preset);
    await user.click(screen.getByRole('button', { name: 'Favourite Numbers up' }));
    await waitFor(() => expect(put[0]).toMatchObject({ is_favorite: true, name: 'Numbers up' }));
    await user.click(screen.getByRole('button', { name: 'Rename Numbers up' }));
    const field = screen.getByRole('textbox', { name: 'New name of Numbers up' });
    await user.clear(field);
    await user.type(field, 'More numbers{Enter}');
    await waitFor(() => expect(put[1]).toMatchObject({ name: 'More numbers' }));
    await user.click(screen.getByRole('button', { name: 'Rename Numbers up' }));
    await user.keyboard('x{Escape}');
    expect(put).toHaveLength(2);
    const gone = answer('delete', `/steering/presets/${preset.id}`, preset);
    await user.click(screen.getByRole('button', { name: 'Delete Numbers up' }));
    await user.click(screen.getByRole('button', { name: 'Delete' }));
    await waitFor(() => expect(gone).toHaveLength(1));
  });

  it('keep what is set now', async () => {
    const bodies = answer('post', '/steering/presets', preset, 201);
    const user = await openShelf();
    await user.type(screen.getByRole('textbox', { name: 'Name' }), 'Mine');
    await user.click(screen.getByRole('button', { name: 'Save Current Config' }));
    await waitFor(() =>
      expect(bodies[0]).toMatchObject({
        training_id: TRAINING_ID,
        name: 'Mine',
        intervention_layer: 1,
        features: [{ feature_id: 7, coefficient: 2, unit: 'max_multiple' }],
      }),
    );
  });

  it('are not kept while something in them is wrong', async () => {
    const { user } = openSteering(`${READY}&temperature=9`);
    await user.click(await screen.findByRole('button', { name: /^Steering Presets/ }));
    const save = screen.getByRole('button', { name: 'Save Current Config' });
    await waitFor(() => expect(save).toHaveAccessibleDescription('Correct the marked settings.'));
    expect(save).toBeDisabled();
  });

  it('need a feature', async () => {
    const { user } = openSteering('?tab=steering');
    await user.click(await screen.findByRole('button', { name: /^Steering Presets/ }));
    const save = screen.getByRole('button', { name: 'Save Current Config' });
    expect(save).toHaveAccessibleDescription(/Add a feature first/);
    expect(save).toBeDisabled();
  });
});
