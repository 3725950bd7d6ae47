import { memo, useDeferredValue, useMemo } from 'react';
import { Skeleton } from '@/components/common/Skeleton';
import { LineChart } from '@/components/visualizations/LineChart';
import { useTrainingCurve } from '@/hooks/useTraining';
import type { Training } from '@/types/training.types';
import { type MetricKey, pickSeries, type SeriesPoint } from '@/utils/series';
import { TrainingLog } from './TrainingLog';

interface ChartView {
  key: MetricKey;
  title: string;
  color: string;
}

/** Okabe–Ito-like hues that stay apart in the common colour blindnesses and on dark ground. */
const CHARTS: readonly ChartView[] = [
  { key: 'loss', title: 'Loss', color: '#34d399' },
  { key: 'sparsity', title: 'L0 Sparsity', color: '#60a5fa' },
  { key: 'explained_variance', title: 'Explained Variance (batch)', color: '#c084fc' },
  { key: 'dead_neurons', title: 'Dead Neurons', color: '#fb923c' },
];

/** Curves of a training, live while it runs, and its log. */
export function TrainingMetrics({ training }: { training: Training }) {
  // Deferred, so that buttons answer at once while a fast run redraws its curves.
  const points = useDeferredValue(useTrainingCurve(training));
  if (!points) return <Skeleton className="h-96" />;
  return (
    <div className="space-y-4">
      <div className="grid grid-cols-1 gap-4 lg:grid-cols-2">
        {CHARTS.map((view) => (
          <Curve key={view.key} view={view} points={points} />
        ))}
      </div>
      <TrainingLog
        points={points}
        nLatents={training.n_latents}
        isLive={training.status === 'training'}
      />
    </div>
  );
}

interface CurveProps {
  view: ChartView;
  points: readonly SeriesPoint[];
}

/** One quantity; drawn anew only for other points, not by the render that defers them. */
const Curve = memo(function Curve({ view: { key, title, color }, points }: CurveProps) {
  const series = useMemo(
    () => [{ name: title, color, points: pickSeries(points, key) }],
    [title, color, points, key],
  );
  return (
    <figure className="rounded-lg bg-slate-800/30 p-4">
      <figcaption className="mb-2 text-sm font-medium text-slate-300">{title}</figcaption>
      <LineChart series={series} xLabel="Step" height={180} emptyMessage="No point measured yet" />
    </figure>
  );
});
