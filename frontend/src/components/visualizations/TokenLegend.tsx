import { formatValue } from './numbers';
import { paletteGradient, type HighlightPalette } from './tokenText';

interface TokenLegendProps {
  label: string;
  max: number;
  palette?: HighlightPalette;
}

/** What the colour of a token means, from 0 to `max`. */
export function TokenLegend({ label, max, palette = 'emerald' }: TokenLegendProps) {
  return (
    <span className="inline-flex items-center gap-2 text-xs text-slate-400">
      {label}
      <span className="font-mono">0</span>
      <span
        className="h-2.5 w-20 rounded border border-slate-700"
        style={{ backgroundImage: paletteGradient(palette) }}
        aria-hidden="true"
      />
      <span className="font-mono">{formatValue(max)}</span>
    </span>
  );
}
