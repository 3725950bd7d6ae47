import { useMemo, useState } from 'react';
import { Segmented } from '@/components/common/Segmented';
import { Skeleton } from '@/components/common/Skeleton';
import { LineChart } from '@/components/visualizations/LineChart';
import { useTrainingCurves } from '@/hooks/useTraining';
import { type MetricKey, pickSeries } from '@/utils/series';
import type { ComparedRun } from './comparedRuns';

const METRICS = [
  { value: 'loss', label: 'Loss' },
  { value: 'explained_variance', label: 'Explained variance' },
  { value: 'sparsity', label: 'L0' },
  { value: 'dead_neurons', label: 'Dead' },
  { value: 'learning_rate', label: 'Learning rate' },
] as const satisfies readonly { value: MetricKey; label: string }[];
const HEIGHT = 300;

/** One measured quantity of all runs over the same steps. */
export function RunCurves({ runs }: { runs: readonly ComparedRun[] }) {
  const [metric, setMetric] = useState<(typeof METRICS)[number]['value']>('loss');
  const trainings = useMemo(() => runs.map(({ training }) => training), [runs]);
  const curves = useTrainingCurves(trainings);
  const series = useMemo(
    () =>
      runs.map(({ training, letter, color }) => ({
        name: letter,
        color,
        points: pickSeries(curves[training.id] ?? [], metric),
      })),
    [runs, curves, metric],
  );
  const isLoading = runs.some(({ training }) => !(training.id in curves));
  return (
    <section aria-label="Curves" className="space-y-3">
      <Segmented label="Quantity" options={METRICS} value={metric} onChange={setMetric} />
      {isLoading ? (
        <Skeleton className="h-[20.5rem]" />
      ) : (
        <LineChart
          series={series}
          xLabel="Step"
          height={HEIGHT}
          yScale={metric === 'loss' ? 'log' : 'linear'}
          emptyMessage="No point measured yet"
        />
      )}
    </section>
  );
}
