import { expect, it } from 'vitest';
import type { SteeringTokens } from '@/types/event.types';
import { applyTokens, lastIndex, noTexts } from './steeringLive';

function event(...tokens: [branch: string, index: number, text: string][]): SteeringTokens {
  const figures = { token_id: 1, logprob: -1, base_logprob: -1, kl: 0 };
  return {
    type: 'steering.tokens',
    seq: 1,
    timestamp: '2026-11-23T09:00:00Z',
    data: {
      job_id: 'j',
      tokens: tokens.map(([branch, index, text]) => ({
        ...figures,
        row: 0,
        branch,
        index,
        text,
        read_activations: [],
        read_achieved: [],
      })),
    },
  };
}

it('puts tokens behind each other, once each, and after no gap', () => {
  const first = applyTokens(noTexts, event(['steered', 0, ' a'], ['unsteered', 0, ' b']));
  const twice = applyTokens(first, event(['steered', 0, ' a'], ['steered', 1, ' c']));
  const gap = applyTokens(twice, event(['steered', 5, ' z']));
  expect(gap.steered.map(({ text }) => text)).toEqual([' a', ' c']);
  expect(gap.steered).toBe(twice.steered);
  expect(gap.unsteered.map(({ text }) => text)).toEqual([' b']);
  expect([noTexts, first, gap].map(lastIndex)).toEqual([-1, 0, 1]);
});

it('follows the third text of reconstruction mode, which counts for what may be missed', () => {
  const first = applyTokens(noTexts, event(['reconstruction', 0, ' a'], ['steered', 0, ' b']));
  const longer = applyTokens(first, event(['reconstruction', 1, ' c']));
  expect(longer.reconstruction.map(({ text }) => text)).toEqual([' a', ' c']);
  expect([first, longer].map(lastIndex)).toEqual([0, 1]);
});
