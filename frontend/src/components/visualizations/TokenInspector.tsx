import { useId, useState, type KeyboardEvent } from 'react';

import { TokenHighlights, type HighlightToken } from './TokenHighlights';
import type { HighlightPalette } from './tokenText';

interface TokenInspectorProps {
  tokens: readonly (HighlightToken & { title: string })[];
  /** Names the text for readers who do not see it. */
  label: string;
  max?: number;
  palette?: HighlightPalette;
  breakLines?: boolean;
  /** Called with the token that is clicked, or chosen with Enter. */
  onPick?: (index: number) => void;
}

/**
 * Highlighted tokens that can be read one by one.
 *
 * Hovering shows the value at once; with the keyboard, arrows move among the tokens. The value stands
 * in a strip below the text too, which screen readers announce.
 */
export function TokenInspector({ tokens, label, onPick, ...rest }: TokenInspectorProps) {
  const [active, setActive] = useState<number | null>(null);
  const stripId = useId();

  const handleKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && active !== null) onPick?.(active);
    const next = nextToken(event.key, active, tokens.length);
    if (next === null) return;
    event.preventDefault();
    event.stopPropagation();
    setActive(next);
  };
  return (
    <div
      role="group"
      aria-label={label}
      aria-describedby={stripId}
      tabIndex={0}
      className="rounded focus-visible:outline-2 focus-visible:outline-offset-4 focus-visible:outline-emerald-500"
      onKeyDown={handleKeyDown}
      onBlur={() => setActive(null)}
      onPointerLeave={() => setActive(null)}
      onClick={(event) => {
        const index = tokenIndex(event.target);
        if (index !== null) onPick?.(index);
      }}
      onPointerOver={(event) => setActive(tokenIndex(event.target))}
    >
      <TokenHighlights tokens={withCursor(tokens, active)} {...rest} />
      <div
        id={stripId}
        role="status"
        className="mt-1 h-4 truncate font-mono text-xs text-slate-400"
      >
        {active === null ? '' : (tokens[active]?.title ?? '')}
      </div>
    </div>
  );
}

function withCursor(tokens: readonly HighlightToken[], active: number | null): HighlightToken[] {
  return tokens.map((token, index) => {
    const shown = { ...token, isActive: index === active };
    delete shown.title;
    return shown;
  });
}

function tokenIndex(target: EventTarget): number | null {
  const element =
    target instanceof HTMLElement ? target.closest<HTMLElement>('[data-token]') : null;
  return element ? Number(element.dataset.token) : null;
}

/** Token that a key moves to; `null` for a key that does not move. */
export function nextToken(key: string, active: number | null, count: number): number | null {
  if (count === 0) return null;
  const last = count - 1;
  if (key === 'Home') return 0;
  if (key === 'End') return last;
  if (key === 'ArrowRight') return active === null ? 0 : Math.min(last, active + 1);
  if (key === 'ArrowLeft') return active === null ? last : Math.max(0, active - 1);
  return null;
}
