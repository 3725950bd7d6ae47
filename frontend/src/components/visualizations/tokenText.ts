/** Text of a token as it is shown: what cannot be seen gets a glyph. */
export interface VisibleToken {
  text: string;
  /** Whether nothing but whitespace stands in it, so that it is drawn dim. */
  isBlank: boolean;
}

/**
 * Make whitespace visible: newline ↵, tab ⇥, and in a token without any letter each space ·.
 *
 * The space that begins a word stays a space, so that running text reads as text.
 */
export function visibleToken(token: string): VisibleToken {
  const isBlank = token.trim() === '';
  const text = token
    .replace(/\r\n|\n|\r/g, '↵')
    .replace(/\t/g, '⇥')
    .replace(/\p{Cc}/gu, '␀');
  if (token === '') return { text: '∅', isBlank: true };
  return { text: isBlank ? text.replace(/[ \u00a0]/g, '·') : text, isBlank };
}

/** A token standing alone in a list: its spaces are part of what it is, so all are shown. */
export function quotedToken(token: string): string {
  return visibleToken(token).text.replace(/[ \u00a0]/g, '·');
}

export type HighlightPalette = 'emerald' | 'purple' | 'blue' | 'orange';

const RGB: Record<HighlightPalette, string> = {
  emerald: '16,185,129',
  purple: '168,85,247',
  blue: '56,152,255',
  orange: '251,146,60',
};

export interface HighlightStyle {
  backgroundColor?: string;
  color?: string;
  boxShadow?: string;
}

/** Share of `max` that `value` reaches, 0 to 1; 0 where either is not a positive number. */
export function intensityOf(value: number, max: number): number {
  if (!(value > 0) || !(max > 0)) return 0;
  return Math.min(1, value / max);
}

/**
 * Colours of a token at `intensity` 0 to 1.
 *
 * Background at alpha 0.4 times the intensity, white text above 0.6, a thin border above 0.7 (drawn
 * as an inset shadow, so that no token changes the width of its line).
 */
export function highlightStyle(intensity: number, palette: HighlightPalette): HighlightStyle {
  if (intensity <= 0) return {};
  const rgb = RGB[palette];
  return {
    backgroundColor: `rgba(${rgb},${(0.4 * intensity).toFixed(3)})`,
    ...(intensity > 0.6 ? { color: '#fff' } : {}),
    ...(intensity > 0.7 ? { boxShadow: `inset 0 0 0 1px rgba(${rgb},0.6)` } : {}),
  };
}

/** CSS gradient of a palette, for legends. */
export function paletteGradient(palette: HighlightPalette): string {
  return `linear-gradient(to right, rgba(${RGB[palette]},0), rgba(${RGB[palette]},0.4))`;
}
