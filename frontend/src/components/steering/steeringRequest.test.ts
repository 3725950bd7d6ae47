import { describe, expect, it } from 'vitest';
import { defaultConfig, type SteeringConfig } from '@/stores/steeringStore';
import { blockingReason, settingError, toRequest } from './steeringRequest';

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
