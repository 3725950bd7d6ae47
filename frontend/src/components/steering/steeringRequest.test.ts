import { describe, expect, it } from 'vitest';
import { defaultConfig, everywhere, type SteeringConfig } from '@/stores/steeringStore';
import { blockingReason, chatError, settingError, toRequest, withSetting } from './steeringRequest';

const ready: SteeringConfig = {
  ...defaultConfig,
  modelId: 'm1',
  prompt: 'Once',
  steered: [{ id: 3, coefficient: 2, unit: 'max_multiple' }],
};

describe('blockingReason', () => {
  it('is null when all is there', () => {
    expect(blockingReason(ready)).toBeNull();
  });

  it.each<[Partial<SteeringConfig>, RegExp]>([
    [{ modelId: null }, /model/],
    [{ steered: [] }, /feature/],
    [{ steered: [{ id: 3, coefficient: 0, unit: 'activation' }] }, /0/],
    [{ prompt: ' \n' }, /prompt/],
    [{ prompt: 'x'.repeat(20_001) }, /20,000/],
    [{ temperature: 9 }, /marked/],
    [{ maxNewTokens: 0 }, /marked/],
    [{ layer: -1 }, /marked/],
    [{ more: { top_p: 5 } }, /marked/],
    [{ where: { ...everywhere, positions: 'x' } }, /marked/],
    [{ where: { ...everywhere, condition: { id: 1, threshold: null } } }, /marked/],
    [{ more: { steer_prompt: false, steer_generated: false } }, /or on both/],
    [{ steered: [{ id: 3, coefficient: 5000, unit: 'activation' }] }, /strengths/],
    [{ steered: [{ id: 3, coefficient: Number.NaN, unit: 'activation' }] }, /strengths/],
    [
      { steered: [{ id: 3, coefficient: 1, unit: 'kl' }], more: { mode: 'reconstruction' } },
      /nats/,
    ],
  ])('explains %j', (changes, reason) => {
    expect(blockingReason({ ...ready, ...changes })).toMatch(reason);
  });
});

it('names the bound that a setting breaks', () => {
  expect(settingError('temperature', { ...ready, temperature: -1 })).toBe('At least 0');
  expect(settingError('seed', { ...ready, seed: 1.5 })).toBe('Whole numbers only');
  expect(settingError('layer', ready)).toBeUndefined();
});

it('sends what the form holds', () => {
  expect(toRequest(ready)).toEqual({
    model_id: 'm1',
    prompt: 'Once',
    features: [{ id: 3, coefficient: 2, unit: 'max_multiple' }],
    intervention_layer: null,
    temperature: 0.7,
    max_new_tokens: 60,
    seed: 0,
  });
});

it('sends stop texts, and a system prompt in the chat format only', () => {
  const more = { system_prompt: 'Be brief.' };
  expect(toRequest({ ...ready, more, stop: ['\n'] })).not.toHaveProperty('system_prompt');
  expect(
    toRequest({ ...ready, more: { ...more, use_chat_template: true }, stop: ['\n'] }),
  ).toMatchObject({ use_chat_template: true, system_prompt: 'Be brief.', stop: ['\n'] });
});

it('has the chat format only with a model that has a template', () => {
  const chat = { more: withSetting(undefined, 'use_chat_template', true) };
  expect(chatError(chat, false)).toMatch(/no chat template/);
  expect([chatError(chat, true), chatError(chat, null), chatError({}, false)]).toEqual(
    Array(3).fill(undefined),
  );
  expect(withSetting(chat.more, 'use_chat_template', false)).toEqual({});
});
