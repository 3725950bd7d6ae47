import { expect, it } from 'vitest';
import { describeMatch } from './searchMatches';

it.each([
  [{ where: 'fires_on', text: ' the', weight: 0.931 }, 'fires on “·the” 93 %'],
  [{ where: 'fires_on', text: 'the', weight: null }, 'fires on “the”'],
  [{ where: 'promotes', text: ' of', weight: 2.54 }, 'promotes “·of” +2.5'],
  [{ where: 'promotes', text: ' of', weight: null }, 'promotes “·of”'],
  [{ where: 'fires_on_text', text: ' the', weight: 0.4 }, 'fires here on “·the” 40 %'],
  [{ where: 'similar', text: 'them', weight: null }, 'similar to “them”'],
  [{ where: 'name', text: 'the', weight: null }, 'label'],
  [{ where: 'description', text: 'articles', weight: null }, 'description: “articles”'],
] as const)('says why %j matched', (match, said) => {
  expect(describeMatch(match)).toBe(said);
});
