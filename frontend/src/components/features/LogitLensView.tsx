import { Info } from 'lucide-react';
import { ErrorBox } from '@/components/common/ErrorBox';
import { SkeletonList } from '@/components/common/Skeleton';
import { useLogitLens } from '@/hooks/useFeatures';
import type { LensToken } from '@/types/feature.types';
import { formatDecimal } from '@/utils/format';
import { quotedToken } from '../visualizations/tokenText';

/** Which next tokens the feature's direction promotes and suppresses. */
export function LogitLensView({ featureId }: { featureId: number }) {
  const { value: lens, problem, refetch } = useLogitLens(featureId);
  if (problem) {
    return <ErrorBox problem={problem} action={{ label: 'Try again', onClick: refetch }} />;
  }
  if (!lens) {
    return (
      <div className="grid gap-3 md:grid-cols-2">
        <SkeletonList label="Loading logit lens" count={10} className="h-10" />
      </div>
    );
  }
  const largest = Math.max(0, ...[...lens.top, ...lens.bottom].map((t) => Math.abs(t.logit)));
  return (
    <div className="space-y-6">
      <div className="grid gap-8 md:grid-cols-2">
        <LensList title="Promoted tokens" tokens={lens.top} largest={largest} bar="bg-blue-500" />
        <LensList
          title="Suppressed tokens"
          tokens={lens.bottom}
          largest={largest}
          bar="bg-orange-400"
        />
      </div>
      <div className="flex gap-3 rounded-lg border border-blue-500/30 bg-blue-500/10 p-4 text-sm text-blue-200">
        <Info className="mt-0.5 size-4 shrink-0" aria-hidden />
        <p>{lens.definition}</p>
      </div>
    </div>
  );
}

interface LensListProps {
  title: string;
  tokens: readonly LensToken[];
  /** Magnitude of a full bar, shared by both lists. */
  largest: number;
  bar: string;
}

function LensList({ title, tokens, largest, bar }: LensListProps) {
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
            <span className="h-1.5 overflow-hidden rounded-full bg-slate-800" aria-hidden>
              <span
                className={`block h-full rounded-full ${bar}`}
                style={{ width: `${largest ? (100 * Math.abs(token.logit)) / largest : 0}%` }}
              />
            </span>
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
