import { describe, expect, it } from 'vitest';
import { defaultConfig, type SteeringConfig } from '@/stores/steeringStore';
import {
  countTexts,
  numbersError,
  targetsError,
  parseNumbers,
  promptsOf,
  samplesError,
  sweepReason,
  toSweep,
} from './sweepPlan';

const config: SteeringConfig = {
  ...defaultConfig,
  modelId: 'm1',
  prompt: 'Once',
  steered: [{ id: 7, coefficient: 0, unit: 'max_multiple' }],
};
const plan = (changes: Partial<SteeringConfig['sweep']>): SteeringConfig => ({
  ...config,
  sweep: { ...config.sweep, ...changes },
});

it('reads numbers with commas, spaces and lines between them', () => {
  expect(parseNumbers(' -2, 0.5;1\n1e1 ')).toEqual([-2, 0.5, 1, 10]);
  expect(parseNumbers('')).toEqual([]);
  expect(parseNumbers('1, x')).toBeNull();
});

it('names the bounds of strengths and samples', () => {
  expect(numbersError('1, x', 20)).toBe('Numbers with commas between them');
  expect(numbersError('1, -21', 20)).toBe('Each between −20 and 20');
  expect(numbersError('1, NaN', 20)).toBe('Numbers with commas between them');
  expect(numbersError('', 20)).toBeUndefined();
  expect(targetsError('0.3, 0')).toMatch('its sign says which way');
  expect(targetsError('21')).toBe('Each between −20 and 20');
  expect(targetsError('0.3, -1')).toBeUndefined();
  expect([null, 0, 17, 4].map(samplesError)).toEqual([
    'Type a number',
    'A whole number from 1 to 16',
    'A whole number from 1 to 16',
    undefined,
  ]);
});

it('keeps to the condition, and always adds the change alone', () => {
  const condition = { id: 9, threshold: 0.5 };
  const where = { ...config.where, condition };
  const sent = toSweep({ ...config, where, more: { mode: 'reconstruction', top_k: 5 } });
  expect(sent).toMatchObject({ condition: { feature_id: 9, threshold: 0.5 }, top_k: 5 });
  expect(sent).not.toHaveProperty('mode');
});

it('takes the prompt of the comparison where no line is given', () => {
  expect(promptsOf(config.sweep, 'Once')).toEqual(['Once']);
  expect(promptsOf({ ...config.sweep, prompts: 'One\n\n Two\n' }, 'Once')).toEqual(['One', ' Two']);
  expect(promptsOf(config.sweep, ' ')).toEqual([]);
});

describe('what keeps a sweep from being started', () => {
  it('is nothing when all is there, whatever the strength on the card', () => {
    expect(sweepReason(config)).toBeNull();
  });

  it.each([
    [plan({ strengths: '1, many' }), /numbers with commas/],
    [plan({ strengths: '' }), /at least one strength/],
    [plan({ strengths: '0' }), /“Add” changes nothing at 0/],
    [plan({ klTargets: '0' }), /KL targets/],
    [plan({ nSamples: null }), /1 to 16/],
    [plan({ nSamples: 1.5 }), /1 to 16/],
    [plan({ strengths: '1, 2000' }), /marked strengths/],
    [plan({ klTargets: '30' }), /marked strengths/],
    [plan({ prompts: 'x'.repeat(20_001) }), /20,000/],
    [plan({ nSamples: NaN }), /1 to 16/],
    [plan({ prompts: 'x\n'.repeat(17) }), /At most 16 prompts/],
    [plan({ strengths: Array.from({ length: 33 }, (_, n) => n + 1).join() }), /At most 32/],
    [{ ...config, prompt: '' }, /at least one prompt/],
    [{ ...config, steered: [] }, /Add a feature/],
    [{ ...config, modelId: null }, /Choose the model/],
    [
      { ...config, steered: [{ id: 7, coefficient: 1, unit: 'activation', method: 'ablate' }] },
      /no strength to sweep/,
    ],
    [
      {
        ...plan({ klTargets: '1' }),
        steered: [{ id: 7, coefficient: 1, unit: 'activation', method: 'clamp' }],
      },
      /“Add” only/,
    ],
    [
      {
        ...config,
        steered: Array.from({ length: 9 }, (_, id) => ({ id, coefficient: 1, unit: 'activation' })),
      },
      /At most 8 features/,
    ],
  ] as [SteeringConfig, RegExp][])('is said in a sentence', (wrong, sentence) => {
    expect(sweepReason(wrong)).toMatch(sentence);
  });
});

it('takes a factor or a target of 0, which is the removal of the feature', () => {
  for (const method of ['scale', 'project', 'clamp'] as const) {
    const steered = [{ id: 7, coefficient: 1, unit: 'activation' as const, method }];
    expect(sweepReason({ ...plan({ strengths: '0' }), steered })).toBeNull();
  }
  const scaled = [{ id: 7, coefficient: 1, unit: 'activation' as const, method: 'scale' as const }];
  expect(sweepReason({ ...plan({ strengths: '1' }), steered: scaled })).toMatch(
    /changes nothing at 1/,
  );
  expect(countTexts({ ...plan({ strengths: '0, 1', nSamples: 1 }), steered: scaled })).toBe(2);
});

it('counts the texts without the controls', () => {
  const asked = plan({ prompts: 'a\nb', strengths: '0, 1, 1, 2', klTargets: '0.5', nSamples: 3 });
  expect(countTexts(asked)).toBe(2 * (1 + 2 + 1) * 3);
});

it('asks for what the form says', () => {
  const asked: SteeringConfig = {
    ...plan({ strengths: '-1, 2', klTargets: '0.5', without: ['prompt'], selectBy: 'activation' }),
    steered: [
      { id: 7, coefficient: 3, unit: 'kl' },
      { id: 8, coefficient: 3, unit: 'activation', method: 'floor', onlyActive: true, layer: 2 },
    ],
  };
  expect(toSweep(asked)).toMatchObject({
    model_id: 'm1',
    prompts: ['Once'],
    features: [
      { id: 7, unit: 'max_multiple', method: 'add', only_active: false },
      { id: 8, unit: 'activation', method: 'floor', only_active: true, layer: 2 },
    ],
    strengths: [-1, 2],
    kl_targets: [0.5],
    n_samples: 1,
    select_by: 'activation',
    controls: ['random_direction', 'matched_feature', 'opposite', 'diffmean'],
  });
  expect(toSweep(asked)).not.toHaveProperty('prompt');
});
