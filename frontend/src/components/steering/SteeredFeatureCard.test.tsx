import { fireEvent, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { useSteeringStore } from '@/stores/steeringStore';
import { answer } from '@/test/featureApi';
import { makeSteeringResult } from '@/test/featureFactories';
import { openReady, openSteering, prepareSteeringScreen, READY } from '@/test/steeringScreen';

prepareSteeringScreen();

describe('a coefficient', () => {
  it('follows slider and quick buttons', async () => {
    const { user } = await openReady();
    const slider = screen.getByRole('slider', { name: 'Coefficient' });
    expect(slider).toHaveAttribute('aria-valuetext', '2.00 × max, amplify');
    fireEvent.change(slider, { target: { value: '-3.5' } });
    expect(screen.getByText('-3.50')).toBeVisible();
    await user.click(screen.getByRole('button', { name: 'Amplify (+2)' }));
    await user.click(screen.getByRole('button', { name: 'Suppress (−2)' }));
    expect(slider).toHaveValue('-2');
    await user.click(screen.getByRole('button', { name: 'Reset (0)' }));
    expect(screen.getByText(/Every coefficient is 0/)).toBeVisible();
    expect(screen.getByRole('button', { name: 'Generate Comparison' })).toBeDisabled();
  });

  it('keeps its strength when the unit changes', async () => {
    const { user } = await openReady();
    const unit = screen.getByRole('combobox', { name: 'Unit of #107' });
    await user.selectOptions(unit, 'activation units');
    expect(screen.getByText('20.00')).toBeVisible();
  });
});

describe('a feature', () => {
  it('acts at a layer of its own, which the address keeps', async () => {
    const { user } = openSteering(READY);
    const layer = await screen.findByRole('combobox', { name: 'Layer of #107' });
    await waitFor(() => expect(within(layer).getAllByRole('option').length).toBeGreaterThan(1));
    await user.selectOptions(layer, 'layer 0');
    await waitFor(() => expect(window.location.search).toContain('7%3A2%3Am%400'));
    await user.selectOptions(layer, 'the layer of the run');
    expect(useSteeringStore.getState().config.steered[0]?.layer).toBeUndefined();
  });

  it('acts at a place of its own, once that is meant', async () => {
    const bodies = answer('post', '/steering/generate', makeSteeringResult());
    const { user, button } = await openReady();
    const place = await screen.findByRole('combobox', { name: 'Place of #107' });
    const names = within(place).getAllByRole('option');
    expect(names.map((option) => option.textContent)).not.toContain('attention heads (z)');
    await user.selectOptions(place, 'MLP output');
    await user.click(await screen.findByRole('switch', { name: 'Steer There All the Same' }));
    await waitFor(() => expect(window.location.search).toContain('7%3A2%3Am%40.mlp'));
    await user.click(button);
    await waitFor(() => expect(bodies).toHaveLength(1));
    expect(bodies[0]).toMatchObject({ force: true, features: [{ id: 7, hook_type: 'mlp' }] });
    await user.selectOptions(place, 'its own place');
    await user.click(screen.getByRole('switch', { name: 'Steer There All the Same' }));
    expect(screen.queryByRole('switch', { name: 'Steer There All the Same' })).toBeNull();
  });
});
