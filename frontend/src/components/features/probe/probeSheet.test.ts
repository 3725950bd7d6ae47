import { describe, expect, it } from 'vitest';
import { readSheet, SHEET_EXAMPLE } from './probeSheet';

describe('readSheet', () => {
  it('reads the example', () => {
    const { lines, problem } = readSheet(SHEET_EXAMPLE);
    expect(problem).toBeNull();
    expect(lines).toHaveLength(4);
    expect(lines[0]).toEqual({ text: 'The cat sleeps on the mat.', expected: 'animal' });
  });

  it('keeps bars of the text and skips empty lines', () => {
    const { lines } = readSheet('a | x | y\n\n b |z');
    expect(lines).toEqual([
      { text: 'x | y', expected: 'a' },
      { text: 'z', expected: 'b' },
    ]);
  });

  it.each([
    ['no bar here', 'Line 1 needs'],
    ['a | x\n| y', 'Line 2 needs'],
    ['a | x\na | y', 'Two classes at least'],
    ['', 'Two classes at least'],
    [Array.from({ length: 201 }, (_, i) => `${i % 2} | x`).join('\n'), 'At most 200'],
  ])('says what %j lacks', (text, problem) => {
    expect(readSheet(text).problem).toContain(problem);
  });
});
