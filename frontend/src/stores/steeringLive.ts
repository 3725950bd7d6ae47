import type { SteeringTokens } from '@/types/event.types';
import type { GeneratedToken } from '@/types/steering.types';

/** The texts of a running comparison as far as they have come. */
export interface LiveTexts {
  unsteered: readonly GeneratedToken[];
  steered: readonly GeneratedToken[];
  /** Empty unless the mode is reconstruction. */
  reconstruction: readonly GeneratedToken[];
}

export type Branch = keyof LiveTexts;

export const noTexts: LiveTexts = { unsteered: [], steered: [], reconstruction: [] };

type Token = SteeringTokens['data']['tokens'][number];

/** Puts the tokens of an event where they belong; one that came twice changes nothing. */
export function applyTokens(texts: LiveTexts, event: SteeringTokens): LiveTexts {
  const of = (branch: Branch) => event.data.tokens.filter((token) => token.branch === branch);
  return {
    unsteered: placed(texts.unsteered, of('unsteered')),
    steered: placed(texts.steered, of('steered')),
    reconstruction: placed(texts.reconstruction, of('reconstruction')),
  };
}

/** What comes after a gap waits for the answer, which holds everything. */
function placed(known: readonly GeneratedToken[], news: readonly Token[]) {
  const fitting = news.filter(({ index }) => index >= known.length);
  const sorted = [...fitting].sort((a, b) => a.index - b.index);
  const next = [...known];
  for (const token of sorted) {
    if (token.index === next.length) next.push(toGenerated(token));
  }
  return next.length === known.length ? known : next;
}

/** Index of the last token that is here, -1 before the first: what comes after it may be missed. */
export function lastIndex({ unsteered, steered, reconstruction }: LiveTexts): number {
  return Math.max(unsteered.length, steered.length, reconstruction.length) - 1;
}

function toGenerated({ token_id, text, logprob, base_logprob, kl }: Token): GeneratedToken {
  return { token_id, text, logprob, base_logprob, kl, activations: [], achieved: [] };
}
