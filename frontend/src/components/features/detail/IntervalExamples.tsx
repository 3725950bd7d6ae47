import { Moon } from 'lucide-react';
import { Bar } from '@/components/common/Bar';
import { EmptyState } from '@/components/common/EmptyState';
import { Fetched } from '@/components/common/Fetched';
import { TokenLegend } from '@/components/visualizations/TokenLegend';
import { useRequest } from '@/hooks/useRequest';
import { featureService } from '@/services/featureService';
import type { Interval } from '@/types/feature.types';
import { formatDecimal, formatInteger, formatShare } from '@/utils/format';
import { ExampleCard, type ExamplesProps } from './ExampleCard';
import { ExamplesSkeleton } from './StrongestExamples';

/** Contexts of every strength, drawn at random from each octave of the activation. */
export function IntervalExamples({ featureId, datasetName }: ExamplesProps) {
  const request = useRequest(`intervals ${featureId}`, (signal) =>
    featureService.intervals(featureId, signal),
  );
  return (
    <Fetched {...request} skeleton={<ExamplesSkeleton />}>
      {(intervals) =>
        intervals.length === 0 ? (
          <EmptyState
            icon={Moon}
            title="No strengths were measured"
            hint="The feature never fired, or it was measured before strengths were kept. Extract features again to have them."
          />
        ) : (
          <IntervalList intervals={intervals} datasetName={datasetName} />
        )
      }
    </Fetched>
  );
}

interface IntervalListProps {
  intervals: readonly Interval[];
  datasetName: string | null;
}

function IntervalList({ intervals, datasetName }: IntervalListProps) {
  const max = Math.max(...intervals.map(({ high }) => high));
  return (
    <div className="space-y-6">
      <div className="flex flex-wrap items-center justify-between gap-4">
        <p className="max-w-prose text-sm text-slate-400">
          Each band holds activations up to twice its lower end. A feature that means one thing does
          so in the weak bands, too.
        </p>
        <TokenLegend label="Activation" max={max} />
      </div>
      {intervals.map((interval) => (
        <section key={interval.octave} aria-label={`Activation ${bounds(interval)}`}>
          <h3 className="mb-2 grid grid-cols-[8rem_1fr_9rem] items-center gap-4 text-sm">
            <span className="font-mono text-emerald-400">{bounds(interval)}</span>
            <Bar share={interval.share} fill="bg-emerald-500" />
            <span className="text-right text-slate-400 tabular-nums">
              {formatShare(interval.share)} · {formatInteger(interval.count)}
            </span>
          </h3>
          {interval.examples.length === 0 ? (
            <p className="text-sm text-slate-400">No context of this band was kept.</p>
          ) : (
            <ol className="space-y-3">
              {interval.examples.map((example, index) => (
                <ExampleCard
                  key={`${example.document}:${example.rank}`}
                  example={example}
                  number={index + 1}
                  max={max}
                  datasetName={datasetName}
                />
              ))}
            </ol>
          )}
        </section>
      ))}
    </div>
  );
}

function bounds({ low, high }: Interval): string {
  const digits = high >= 10 ? 0 : high >= 1 ? 1 : 3;
  return `${formatDecimal(low, digits)} – ${formatDecimal(high, digits)}`;
}
