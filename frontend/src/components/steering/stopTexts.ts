const MEANINGS: Readonly<Record<string, string>> = { n: '\n', t: '\t', '\\': '\\' };

/** `\n`, `\t` and `\\` as typed into a field of one line → what they stand for. */
export function readEscapes(text: string): string {
  return text.replace(/\\([nt\\])/g, (_, letter: string) => MEANINGS[letter] ?? letter);
}
