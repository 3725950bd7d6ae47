import { useId } from 'react';
import type { LengthBucket } from '@/types/dataset.types';
import { formatCompact, formatInteger } from '@/utils/format';

interface LengthBarsProps {
  title: string;
  buckets: readonly LengthBucket[];
  note?: string;
}

function rangeLabel({ lower, upper }: LengthBucket): string {
  return upper === null
    ? `${formatCompact(lower)}+`
    : `${formatCompact(lower)}–${formatCompact(upper)}`;
}

/** Horizontal bars of a length distribution, the count at the end of each bar. */
export function LengthBars({ title, buckets, note }: LengthBarsProps) {
  const id = useId();
  const largest = Math.max(1, ...buckets.map((bucket) => bucket.count));
  return (
    <section aria-labelledby={id}>
      <h3 id={id} className="mb-3 text-lg font-semibold">
        {title}
      </h3>
      <dl className="space-y-2">
        {buckets.map((bucket) => (
          <div key={bucket.lower} className="flex items-center gap-3 text-sm">
            <dt className="w-28 shrink-0 text-right font-mono text-xs text-slate-400">
              {rangeLabel(bucket)}
            </dt>
            <dd className="flex min-w-0 flex-1 items-center gap-2">
              <div className="h-6 min-w-0 flex-1 rounded bg-slate-800/50">
                <div
                  className="h-full rounded bg-gradient-to-r from-emerald-600 to-emerald-500"
                  style={{ width: `${(100 * bucket.count) / largest}%` }}
                />
              </div>
              <span className="w-16 shrink-0 text-right text-slate-200 tabular-nums">
                {formatInteger(bucket.count)}
              </span>
            </dd>
          </div>
        ))}
      </dl>
      {note && <p className="mt-3 text-sm text-slate-400">{note}</p>}
    </section>
  );
}
