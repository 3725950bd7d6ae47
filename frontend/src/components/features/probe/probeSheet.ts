import type { ProbeLine } from '@/types/feature.types';

const MAX_LINES = 200;

export interface ReadSheet {
  lines: ProbeLine[];
  /** Why the sheet cannot be tried yet; null when it can. */
  problem: string | null;
}

/** One line per text, its class before the first bar: `animal | The cat sleeps.` */
export const SHEET_EXAMPLE = [
  'animal | The cat sleeps on the mat.',
  'animal | Two horses ran along the river.',
  'other | The committee adopted the report.',
  'other | Add the numbers and divide by two.',
].join('\n');

/** Read a sheet as it was typed; empty lines are left out. */
export function readSheet(text: string): ReadSheet {
  const rows = text
    .split('\n')
    .map((row, index) => ({ row: row.trim(), number: index + 1 }))
    .filter(({ row }) => row !== '');
  const lines: ProbeLine[] = [];
  for (const { row, number } of rows) {
    const bar = row.indexOf('|');
    const expected = row.slice(0, Math.max(0, bar)).trim();
    const said = row.slice(bar + 1).trim();
    if (bar < 0 || expected === '' || said === '') {
      return { lines, problem: `Line ${number} needs a class, a bar and a text: class | text` };
    }
    lines.push({ text: said, expected });
  }
  return { lines, problem: sheetProblem(lines) };
}

function sheetProblem(lines: readonly ProbeLine[]): string | null {
  if (lines.length > MAX_LINES) return `At most ${MAX_LINES} lines`;
  if (new Set(lines.map(({ expected }) => expected)).size < 2) return 'Two classes at least';
  return null;
}
