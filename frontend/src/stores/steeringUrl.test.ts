import { describe, expect, it } from 'vitest';
import { defaultConfig, type SteeringConfig } from './steeringStore';
import { patchQuery } from '@/utils/urlState';
import { configPatch, readConfig } from './steeringUrl';

const config: SteeringConfig = {
  steered: [
    { id: 12, coefficient: 2.5, unit: 'max_multiple' },
    { id: 7, coefficient: -1, unit: 'norm_fraction', method: 'clamp' },
    { id: 8, coefficient: 0.5, unit: 'kl', onlyActive: true },
    { id: 9, coefficient: 1, unit: 'activation', layer: 3 },
    { id: 10, coefficient: 1, unit: 'activation', method: 'scale', onlyActive: true, layer: 0 },
    { id: 11, coefficient: 1, unit: 'activation', layer: 2, hookType: 'mlp' },
    { id: 13, coefficient: 1, unit: 'activation', method: 'project', hookType: 'resid_mid' },
  ],
  modelId: 'm1',
  prompt: 'def f(x):\n    return, & more',
  layer: 0,
  temperature: 0,
  maxNewTokens: 20,
  seed: 7,
  stop: ['\n\n', 'END, "of" it'],
  more: {
    ...{ top_p: 0.9, steer_prompt: false, mode: 'reconstruction' },
    ...{ use_chat_template: true, system_prompt: '12' },
  },
  where: {
    positions: '3, 7-9',
    from: 2,
    to: 0,
    tokenIds: [5, 40],
    condition: { id: 12, threshold: 0.25 },
  },
  sweep: {
    prompts: 'Once\nTwice & more',
    strengths: '-1, 2',
    klTargets: '0.3 1',
    nSamples: 4,
    selectBy: 'activation',
    without: ['prompt', 'diffmean'],
  },
};

describe('the steering configuration in the address', () => {
  it('comes back as it was written', () => {
    expect(readConfig(patchQuery('', configPatch(config)))).toEqual(config);
  });

  it('leaves no trace at its defaults', () => {
    expect(patchQuery('?tab=steering', configPatch(defaultConfig))).toBe('?tab=steering');
  });

  it('is null in an address that holds none', () => {
    expect(readConfig('?tab=steering&feature=3')).toBeNull();
  });

  it('leaves out what makes no sense', () => {
    const search =
      '?steer=,x:1,3,4:y,5:1:z,6:1,6:2:a&seed=abc&temperature=&steer_stop=[1,"",{}]' +
      '&s_mode=wild&s_force=maybe&s_unknown=1&s_top_k=7';
    expect(readConfig(search)).toMatchObject({
      steered: [{ id: 6, coefficient: 2, unit: 'activation' }],
      seed: 0,
      stop: [],
      more: { top_k: 7 },
    });
    expect(readConfig('?prompt=x&steer_stop=[')?.stop).toEqual([]);
  });
});
