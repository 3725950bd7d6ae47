import { expect, it } from 'vitest';
import { readEscapes } from './stopTexts';

it.each([
  ['END', 'END'],
  [String.raw`\n\n`, '\n\n'],
  [String.raw`\t|`, '\t|'],
  [String.raw`\\nabla`, String.raw`\nabla`],
  [String.raw`C:\dir\ `, String.raw`C:\dir\ `],
])('reads %j as %j', (typed, meant) => {
  expect(readEscapes(typed)).toBe(meant);
});
