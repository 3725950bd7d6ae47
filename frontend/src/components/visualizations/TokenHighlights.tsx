import { highlightStyle, intensityOf, visibleToken, type HighlightPalette } from './tokenText';

export interface HighlightToken {
  text: string;
  /** Decides the colour, as a share of `max`. */
  value: number;
  /** Shown by the browser on hovering. */
  title?: string;
  /** Underlined, such as the first token where two texts differ. */
  isMarked?: boolean;
  /** Outlined: the token that is being read. */
  isActive?: boolean;
}

interface TokenHighlightsProps {
  tokens: readonly HighlightToken[];
  /** Value of full colour; by default the largest among the tokens. */
  max?: number;
  palette?: HighlightPalette;
  /** Keep line breaks of the text, after their glyph. */
  breakLines?: boolean;
  className?: string;
}

/** Running text whose tokens are coloured by a value of each. */
export function TokenHighlights({
  tokens,
  max,
  palette = 'emerald',
  breakLines = false,
  className = '',
}: TokenHighlightsProps) {
  const top = max ?? tokens.reduce((highest, token) => Math.max(highest, token.value), 0);
  return (
    <span className={`font-mono leading-relaxed break-words whitespace-pre-wrap ${className}`}>
      {tokens.map((token, index) => (
        <Token
          key={index}
          index={index}
          token={token}
          intensity={intensityOf(token.value, top)}
          palette={palette}
          breakLines={breakLines}
        />
      ))}
    </span>
  );
}

interface TokenProps {
  index: number;
  token: HighlightToken;
  intensity: number;
  palette: HighlightPalette;
  breakLines: boolean;
}

function Token({ index, token, intensity, palette, breakLines }: TokenProps) {
  const { text, isBlank } = visibleToken(token.text);
  const marks = [
    isBlank && intensity === 0 ? 'text-slate-400' : '',
    token.isMarked ? 'underline decoration-amber-400 decoration-2 underline-offset-4' : '',
    token.isActive ? 'outline outline-slate-300' : '',
  ].join(' ');
  return (
    <>
      <span
        data-token={index}
        title={token.title}
        className={`rounded-[3px] ${marks}`}
        style={highlightStyle(intensity, palette)}
      >
        {text}
      </span>
      {breakLines && /[\n\r]/.test(token.text) && '\n'}
    </>
  );
}
