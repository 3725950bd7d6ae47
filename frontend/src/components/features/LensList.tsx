import { Bar } from '@/components/common/Bar';
import type { LensToken } from '@/types/feature.types';
import { formatDecimal } from '@/utils/format';
import { quotedToken } from '../visualizations/tokenText';

interface LensListProps {
  title: string;
  tokens: readonly LensToken[];
  /** Magnitude of a full bar, shared by the lists that stand side by side. */
  largest: number;
  /** Class of the bars' colour. */
  bar: string;
}

/** Tokens by how much they are moved, each with a bar. */
export function LensList({ title, tokens, largest, bar }: LensListProps) {
  return (
    <section aria-label={title} className="min-w-0">
      <h3 className="mb-3 font-medium">{title}</h3>
      {tokens.length === 0 && <p className="text-sm text-slate-400">None were listed.</p>}
      <ol className="space-y-2">
        {tokens.map((token, index) => (
          <li
            key={token.token_id}
            className="grid grid-cols-[1.5rem_8rem_1fr_4rem] items-center gap-3 text-sm"
          >
            <span className="text-right text-slate-400 tabular-nums">{index + 1}</span>
            <span className="truncate font-mono" title={`token ${token.token_id}`}>
              “{quotedToken(token.token)}”
            </span>
            <Bar share={largest ? Math.abs(token.logit) / largest : 0} fill={bar} />
            <span className="text-right font-mono tabular-nums">
              {token.logit > 0 ? '+' : ''}
              {formatDecimal(token.logit, 2)}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
