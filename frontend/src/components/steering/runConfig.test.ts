import { expect, it } from 'vitest';
import { defaultConfig, type SteeringConfig } from '@/stores/steeringStore';
import { makeSteeringResult } from '@/test/featureFactories';
import { makeCondition, makePreset, makeResolved, makeSavedRun } from '@/test/steeringFactories';
import type { Preset } from '@/types/steering.types';
import { configOfRun, suggestPreset, toPreset, withPreset } from './runConfig';

it('takes up what a saved run was generated with', () => {
  const features = [
    makeResolved({ only_active: true, method: 'clamp', unit: 'activation' }),
    makeResolved({ id: 8, layer: 3 }),
  ];
  const run = {
    ...makeSavedRun(),
    settings: {
      ...{ temperature: 0, max_new_tokens: 12, seed: 5, top_p: 0.9, top_k: 0, stop: ['x'] },
      ...{ mode: 'reconstruction', positions: [3, 7, 8, 9], window: [2, 1_000_000] },
      token_ids: [40],
    },
    result: makeSteeringResult({
      ...{ features, prompt: 'Twice', intervention_layer: 1 },
      condition: makeCondition({ feature_id: 8, threshold: 0.5 }),
    }),
  };
  const plan = { ...defaultConfig, sweep: { ...defaultConfig.sweep, strengths: '9' } };
  expect(configOfRun(run, plan)).toEqual({
    modelId: run.result.model_id,
    prompt: 'Twice',
    layer: 1,
    temperature: 0,
    maxNewTokens: 12,
    seed: 5,
    stop: ['x'],
    more: { top_p: 0.9, mode: 'reconstruction' },
    where: {
      positions: '3, 7-9',
      from: 2,
      to: null,
      tokenIds: [40],
      condition: { id: 8, threshold: 0.5 },
    },
    steered: [
      { id: 7, coefficient: 2, unit: 'activation', method: 'clamp', onlyActive: true },
      { id: 8, coefficient: 2, unit: 'max_multiple', layer: 3 },
    ],
    sweep: plan.sweep,
  });
});

it('takes up that a run acted where its features were not learned', () => {
  const own = { own_layer: 1, own_hook_type: 'residual', hook_type: 'residual' };
  const features = [makeResolved({ ...own, hook_type: 'mlp' }), makeResolved({ ...own, id: 8 })];
  const result = makeSteeringResult({ features, intervention_layer: 1 });
  const config = configOfRun({ ...makeSavedRun(), settings: {}, result }, defaultConfig);
  expect([config.layer, config.more]).toEqual([null, { force: true }]);
  expect(config.steered.map(({ hookType }) => hookType)).toEqual(['mlp', undefined]);
});

const EVERYTHING: SteeringConfig = {
  ...defaultConfig,
  prompt: 'stays',
  modelId: 'm1',
  steered: [
    { id: 7, coefficient: 3, unit: 'activation', method: 'clamp', onlyActive: true },
    { id: 8, coefficient: -1, unit: 'max_multiple', layer: 3, hookType: 'mlp' },
  ],
  layer: 2,
  temperature: 0.2,
  maxNewTokens: 33,
  seed: 4,
  stop: ['\n', 'END'],
  more: {
    ...{ top_p: 0.9, top_k: 7, repetition_penalty: 1.25, steer_prompt: false, force: true },
    ...{ exclude_special: false, use_chat_template: true, system_prompt: 'Be brief.' },
    mode: 'reconstruction',
  },
  where: {
    positions: '3, 7-9',
    from: 2,
    to: 40,
    tokenIds: [5, 40],
    condition: { id: 9, threshold: 1.5 },
  },
};

it.each([
  ['everything', EVERYTHING],
  ['little', { ...EVERYTHING, ...withoutMost() }],
])('gives back exactly what was saved: %s', (_, config) => {
  const written = toPreset(config, 't1', config.layer ?? 1, 'Mine', null);
  // As the server answers: JSON, nothing undefined.
  const answered = JSON.parse(JSON.stringify(written)) as Partial<Preset>;
  const preset = makePreset({ ...answered, id: 'p1' });
  const elsewhere = { ...EVERYTHING, seed: 99, stop: ['x'], more: { top_k: 1, force: true } };
  for (const now of [defaultConfig, elsewhere]) {
    const { modelId, prompt } = config;
    expect(withPreset({ ...now, modelId, prompt, sweep: config.sweep }, preset, 1)).toEqual(config);
  }
});

/** A configuration with nothing changed but the feature. */
function withoutMost(): Partial<SteeringConfig> {
  const { layer, temperature, maxNewTokens, seed, stop, where } = defaultConfig;
  const steered: SteeringConfig['steered'] = [{ id: 7, coefficient: 1, unit: 'kl' }];
  return { layer, temperature, maxNewTokens, seed, stop, where, steered, more: {} };
}

it('names a preset by what is in it', () => {
  const one = { ...defaultConfig, steered: withPreset(defaultConfig, makePreset(), 1).steered };
  expect(suggestPreset(one, 14)).toMatch(/^steering_1feature_layer14_\d{4}$/);
  expect(suggestPreset(defaultConfig, null)).toMatch(/^steering_0features_\d{4}$/);
});
