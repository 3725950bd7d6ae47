import { ErrorBox } from '@/components/common/ErrorBox';
import { Skeleton } from '@/components/common/Skeleton';
import type { Loaded } from '@/hooks/useFeatures';
import type { Feature } from '@/types/feature.types';
import { formatDecimal, formatInteger } from '@/utils/format';
import { Histogram } from '@/components/visualizations/Histogram';
import { readMetadata, type Quantile } from '../featureMetadata';
import { ScoreTable } from './ScoreTable';
import { TokenTable } from './TokenTable';

/** How strongly and on which tokens the feature fires. */
export function FeatureStatistics({ feature }: { feature: Loaded<Feature> }) {
  const { value, problem, refetch } = feature;
  if (problem) {
    return <ErrorBox problem={problem} action={{ label: 'Try again', onClick: refetch }} />;
  }
  if (!value) return <Skeleton className="h-80" />;
  const { histogram, quantiles, topTokens, ruleTokens, scoreDetails } = readMetadata(
    value.metadata,
  );
  return (
    <div className="space-y-8">
      <section aria-label="Activation histogram">
        <h3 className="font-medium">Activations where it fires</h3>
        <p className="mb-3 text-sm text-slate-400">
          {formatInteger(value.n_fires)} firings on {formatInteger(value.n_tokens)} tokens, in bins
          spaced by a constant factor.
        </p>
        <Histogram
          bins={histogram}
          xLabel="Activation (log scale)"
          emptyMessage="This feature never fired on the tokens measured"
        />
      </section>
      <div className="grid gap-8 md:grid-cols-[1fr_2fr]">
        <QuantileTable
          quantiles={quantiles}
          mean={value.mean_activation}
          max={value.max_activation}
        />
        <TokenTable tokens={topTokens} ruleTokens={ruleTokens} />
      </div>
      <ScoreTable feature={value} details={scoreDetails} />
    </div>
  );
}

interface QuantileTableProps {
  quantiles: readonly Quantile[];
  mean: number | null;
  max: number | null;
}

function QuantileTable({ quantiles, mean, max }: QuantileTableProps) {
  const rows = [
    ...quantiles.map((q) => [`${formatDecimal(q.share * 100, 0)} % lie below`, q.value] as const),
    ['Mean', mean] as const,
    ['Maximum', max] as const,
  ];
  return (
    <section aria-label="Quantiles">
      <h3 className="mb-3 font-medium">Quantiles where it fires</h3>
      <table className="w-full text-sm">
        <tbody>
          {rows.map(([label, value]) => (
            <tr key={label} className="border-t border-slate-800">
              <th scope="row" className="py-2 text-left font-normal text-slate-300">
                {label}
              </th>
              <td className="py-2 text-right font-mono tabular-nums">{formatDecimal(value, 3)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
