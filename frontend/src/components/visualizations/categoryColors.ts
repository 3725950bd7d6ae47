/** Hues that stay apart in the common colour blindnesses and on dark ground, after Okabe and Ito. */
const HUES = [
  '#56b4e9',
  '#e69f00',
  '#2bc4a0',
  '#f0e442',
  '#cc79a7',
  '#d9825b',
  '#8f9cf7',
  '#b8c4d6',
] as const;
const NONE = '#64748b';

/** The colour of a group; groups beyond the palette share one, so it never stands alone. */
export function categoryColor(group: number | null | undefined): string {
  if (group == null || group < 0) return NONE;
  return HUES[group % HUES.length] ?? NONE;
}
