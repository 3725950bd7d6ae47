import { act, screen, waitFor, within } from '@testing-library/react';
import { describe, expect, it } from 'vitest';
import { useSteeringStore } from '@/stores/steeringStore';
import { readConfig } from '@/stores/steeringUrl';
import { makeArchitecture } from '@/test/factories';
import { answer } from '@/test/featureApi';
import { makeSteeringResult } from '@/test/featureFactories';
import { expectAccessible } from '@/test/render';
import {
  model,
  openReady,
  openSteering,
  prepareSteeringScreen,
  READY,
} from '@/test/steeringScreen';

prepareSteeringScreen();

describe('the configuration', () => {
  it('comes from the address and goes back to it', async () => {
    const { user } = await openReady();
    const prompt = screen.getByRole('textbox', { name: 'Prompt' });
    expect(prompt).toHaveValue('Once');
    await user.click(screen.getByRole('button', { name: 'The meaning of life is' }));
    const layer = screen.getByRole('combobox', { name: 'Intervention layer' });
    await user.selectOptions(layer, 'Layer 3');
    expect(screen.getByText(/found at layer 1/)).toBeVisible();
    await user.click(screen.getByRole('switch', { name: 'Steer There All the Same' }));
    await waitFor(() => expect(window.location.search).toContain('force=true'));
    await user.selectOptions(
      layer,
      screen.getByRole('option', { name: /layer of the dictionary/ }),
    );
    await waitFor(() => expect(window.location.search).toContain('prompt=The+meaning'));
    expect(screen.queryByRole('switch', { name: 'Steer There All the Same' })).toBeNull();
    await waitFor(() => expect(window.location.search).not.toContain('force'));
  });

  it('follows going back in the history', async () => {
    await openReady();
    act(() => {
      window.history.replaceState(null, '', '?steer=7:-1:a&prompt=Twice');
      window.dispatchEvent(new PopStateEvent('popstate'));
    });
    expect(screen.getByRole('textbox', { name: 'Prompt' })).toHaveValue('Twice');
  });

  it('marks a setting that the API would refuse', async () => {
    const { user } = await openReady();
    const temperature = screen.getByRole('textbox', { name: 'Temperature' });
    await user.clear(temperature);
    await user.type(temperature, '9');
    expect(screen.getByText('At most 5')).toBeVisible();
    expect(screen.getByText('Correct the marked settings.')).toBeVisible();
  });

  it('is accessible', async () => {
    const { container } = await openReady();
    await expectAccessible(container);
  });
});

describe('the chat format', () => {
  const chat = (canChat: boolean) => {
    const architecture = makeArchitecture({ model_id: model.id, has_chat_template: canChat });
    answer('get', `/models/${model.id}/architecture`, architecture);
  };

  it('takes a system prompt and sends it, with texts to stop at', async () => {
    chat(true);
    const bodies = answer('post', '/steering/generate', makeSteeringResult());
    const { user, button, container } = await openReady();
    await user.click(await screen.findByRole('switch', { name: 'Use the Chat Template' }));
    await user.type(screen.getByRole('textbox', { name: 'System prompt' }), 'Be brief.');
    await user.click(screen.getByRole('button', { name: 'More settings' }));
    const stop = screen.getByRole('textbox', { name: 'Stop at' });
    await user.type(stop, String.raw`\n\n`);
    expect(screen.getByText(/Not kept yet/)).toBeVisible();
    await user.type(stop, '{Enter}END');
    await user.click(screen.getByRole('button', { name: 'Add the stop text' }));
    await user.type(stop, 'END');
    expect(screen.getByText('It is there already')).toBeVisible();
    await expectAccessible(container);
    await user.clear(stop);
    await user.click(button);
    await waitFor(() => expect(bodies).toHaveLength(1));
    expect(bodies[0]).toMatchObject({
      use_chat_template: true,
      system_prompt: 'Be brief.',
      stop: ['\n\n', 'END'],
    });
    await waitFor(() => expect(window.location.search).toContain('s_system_prompt=Be+brief.'));
    expect(readConfig(window.location.search)?.stop).toEqual(['\n\n', 'END']);
    const kept = screen.getByRole('list', { name: 'Texts that end the generation' });
    await user.click(within(kept).getByRole('button', { name: '↵↵' }));
    expect(useSteeringStore.getState().config.stop).toEqual(['END']);
  });

  it('is not offered where the model has no template', async () => {
    await openReady();
    await waitFor(() =>
      expect(screen.getByRole('button', { name: 'More settings' })).toBeVisible(),
    );
    expect(screen.queryByRole('switch', { name: 'Use the Chat Template' })).toBeNull();
  });

  it('is refused in words when an address asks for it there', async () => {
    const { user } = openSteering(`${READY}&s_use_chat_template=true&s_system_prompt=x`);
    expect(await screen.findAllByText(/no chat template/)).toHaveLength(2);
    expect(screen.getByRole('button', { name: 'Generate Comparison' })).toBeDisabled();
    await user.click(screen.getByRole('switch', { name: 'Use the Chat Template' }));
    expect(screen.queryByText(/no chat template/)).toBeNull();
    expect(screen.getByRole('button', { name: 'Generate Comparison' })).toBeEnabled();
  });
});
