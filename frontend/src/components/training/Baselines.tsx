import { Bar } from '@/components/common/Bar';
import { InfoTip } from '@/components/common/InfoTip';
import type { MeasuredFigure } from '@/types/training.types';
import { formatSignificant } from '@/utils/format';
import { formatInterval } from './figures';

const ROWS: readonly [key: string, label: string, fill: string][] = [
  ['explained_variance', 'Dictionary', 'bg-emerald-500'],
  ['pca_explained_variance', 'PCA of as many dimensions', 'bg-slate-400'],
  ['skip_explained_variance', 'Skip path alone', 'bg-slate-400'],
  ['mean_explained_variance', 'Mean of the training tokens', 'bg-slate-400'],
];

/** The dictionary's explained variance beside what needs no dictionary. */
export function Baselines({ figures }: { figures: readonly MeasuredFigure[] }) {
  const rows = ROWS.flatMap(([key, label, fill]) => {
    const figure = figures.find((other) => other.key === key);
    return figure ? [{ figure, label, fill }] : [];
  });
  if (rows.length < 2) return null;
  return (
    <div role="group" aria-label="Explained variance and its baselines" className="space-y-1.5">
      {rows.map(({ figure, label, fill }) => (
        <div
          key={figure.key}
          className="grid grid-cols-2 items-center gap-x-3 gap-y-1 text-xs sm:grid-cols-[13rem_1fr_4.5rem_9rem]"
        >
          <span className="inline-flex min-w-0 items-center gap-1.5 text-slate-400">
            <span className="truncate">{label}</span>
            <InfoTip label={label} text={figure.definition} />
          </span>
          <Bar share={figure.value} fill={fill} />
          <span className="text-right font-mono text-slate-200 tabular-nums">
            {formatSignificant(figure.value)}
          </span>
          <span className="text-right font-mono text-slate-400 tabular-nums">
            {formatInterval(figure)}
          </span>
        </div>
      ))}
    </div>
  );
}
