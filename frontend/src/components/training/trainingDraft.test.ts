import { expect, it } from 'vitest';
import { patchQuery } from '@/utils/urlState';
import { draftPatch, readDraft } from './trainingDraft';

it('leaves no trace of defaults', () => {
  expect(patchQuery('?tab=training', draftPatch(readDraft('')))).toBe('?tab=training');
});

it('reads what it wrote, switched-off and emptied settings too', () => {
  const draft = {
    ...readDraft(''),
    encoderType: 'transcoder' as const,
    source: { dataset: 'd', model: 'm', layer: '3', hookType: 'mlp' },
    values: { k: 64, skip: true, gradient_clip: null, optimizer: 'adamw' },
    sizes: '256, 1024',
    grid: { k: '16, 64', seed: '', layer: '1 2' },
  };
  expect(readDraft(patchQuery('', draftPatch(draft)))).toEqual(draft);
});

it('takes the default for what is no value of its field', () => {
  const { values, encoderType } = readDraft('?t_k=many&t_optimizer=magic&t_encoder=odd');
  expect([values, encoderType]).toEqual([{}, 'sparse']);
});
