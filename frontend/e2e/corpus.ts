import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ANIMALS = ['cat', 'dog', 'fox', 'bird', 'fish', 'horse'];
const PLACES = ['garden', 'forest', 'kitchen', 'river', 'garage', 'valley'];
const MOODS = ['happy', 'sad', 'brave', 'tired', 'curious'];

/** A short tale; the index chooses its words, so that documents differ. */
function tale(index: number): string {
  const pick = (words: readonly string[], step: number) => words[(index * step + 1) % words.length];
  const lines = Array.from({ length: 6 }, (_, line) => {
    const [animal, place, mood] = [pick(ANIMALS, line + 1), pick(PLACES, line + 2), pick(MOODS, 3)];
    return `The ${mood} ${animal} number ${index} went to the ${place}. It saw a ${pick(ANIMALS, 5)} and said: "Good day, my friend!"`;
  });
  return lines.join(' ');
}

/** Writes a corpus of a few hundred short documents and returns its path. */
export function writeCorpus(documents = 400): string {
  const path = join(mkdtempSync(join(tmpdir(), 'mistudio-corpus-')), 'tales.jsonl');
  const rows = Array.from({ length: documents }, (_, i) => JSON.stringify({ text: tale(i) }));
  writeFileSync(path, `${rows.join('\n')}\n`);
  return path;
}
