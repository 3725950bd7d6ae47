import { expect, it } from 'vitest';
import { defaultConfig } from '@/stores/steeringStore';
import { makeSteeringResult } from '@/test/featureFactories';
import { makePreset, makeResolved, makeSavedRun } from '@/test/steeringFactories';
import { configOfRun, suggestPreset, toPreset, withPreset } from './runConfig';

it('takes up what a saved run was generated with', () => {
  const features = [
    makeResolved({ only_active: true, method: 'clamp', unit: 'activation' }),
    makeResolved({ id: 8, layer: 3 }),
  ];
  const run = {
    ...makeSavedRun(),
    settings: { temperature: 0, max_new_tokens: 12, seed: 5, top_p: 0.9, top_k: 0, stop: ['x'] },
    result: makeSteeringResult({ features, prompt: 'Twice', intervention_layer: 1 }),
  };
  const plan = { ...defaultConfig, sweep: { ...defaultConfig.sweep, strengths: '9' } };
  expect(configOfRun(run, plan)).toEqual({
    modelId: run.result.model_id,
    prompt: 'Twice',
    layer: 1,
    temperature: 0,
    maxNewTokens: 12,
    seed: 5,
    more: { top_p: 0.9 },
    steered: [
      { id: 7, coefficient: 2, unit: 'activation', method: 'clamp', onlyActive: true },
      { id: 8, coefficient: 2, unit: 'max_multiple', layer: 3 },
    ],
    sweep: plan.sweep,
  });
});

it('keeps a preset as it is and brings it back', () => {
  const preset = makePreset();
  const loaded = withPreset({ ...defaultConfig, prompt: 'stays' }, preset);
  expect(loaded).toMatchObject({ prompt: 'stays', layer: 1, temperature: 0.2 });
  expect(loaded.steered).toEqual([
    { id: 7, coefficient: 3, unit: 'activation', method: 'clamp', onlyActive: true },
  ]);
  const written = toPreset(loaded, preset.training_id, 1, preset.name, null);
  expect(written.features).toEqual(preset.features);
  expect(written).toMatchObject({ name: 'Numbers up', intervention_layer: 1, temperature: 0.2 });
});

it('names a preset by what is in it', () => {
  const one = { ...defaultConfig, steered: withPreset(defaultConfig, makePreset()).steered };
  expect(suggestPreset(one, 14)).toMatch(/^steering_1feature_layer14_\d{4}$/);
  expect(suggestPreset(defaultConfig, null)).toMatch(/^steering_0features_\d{4}$/);
});
