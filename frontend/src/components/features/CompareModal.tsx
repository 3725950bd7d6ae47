import { ErrorBox } from '@/components/common/ErrorBox';
import { Modal } from '@/components/common/Modal';
import { Skeleton } from '@/components/common/Skeleton';
import { useFeature, useFeatureExamples, useLogitLens } from '@/hooks/useFeatures';
import type { Feature } from '@/types/feature.types';
import { formatDecimal, formatInteger, formatShare } from '@/utils/format';
import { Histogram } from '../visualizations/Histogram';
import { TokenHighlights } from '../visualizations/TokenHighlights';
import { quotedToken } from '../visualizations/tokenText';
import { contextTokens } from './exampleTokens';
import { readMetadata } from './featureMetadata';

const EXAMPLES = 5;
const TOKENS = 6;

/** The features of the tray in columns, row for row the same thing of each. */
export function CompareModal({ ids, onClose }: { ids: readonly number[]; onClose: () => void }) {
  return (
    <Modal size="6xl" title="Compare features" onClose={onClose}>
      <div
        className="grid gap-6"
        style={{ gridTemplateColumns: `repeat(${ids.length}, minmax(14rem, 1fr))` }}
      >
        {ids.map((id) => (
          <Column key={id} id={id} />
        ))}
      </div>
    </Modal>
  );
}

function Column({ id }: { id: number }) {
  const { value, row, problem, refetch } = useFeature(id);
  if (problem)
    return <ErrorBox problem={problem} action={{ label: 'Try again', onClick: refetch }} />;
  if (!value || !row) return <Skeleton className="h-[60vh]" />;
  return (
    <article aria-label={`Feature #${row.neuron_index}`} className="min-w-0 space-y-5">
      <header className="h-14">
        <h3 className="font-mono text-slate-400">#{row.neuron_index}</h3>
        <p className="truncate font-medium" title={row.name ?? undefined}>
          {row.name ?? <i className="text-slate-400">No label</i>}
        </p>
      </header>
      <Figures feature={value} />
      <Histogram bins={readMetadata(value.metadata).histogram} height={150} xLabel="Activation" />
      <Promoted id={id} />
      <Contexts id={id} />
    </article>
  );
}

function Figures({ feature }: { feature: Feature }) {
  const figures = [
    ['Frequency', formatShare(feature.activation_frequency, 3)],
    ['Interpretability', formatShare(feature.interpretability_score)],
    ['Max activation', formatDecimal(feature.max_activation, 3)],
    ['Mean activation', formatDecimal(feature.mean_activation, 3)],
    ['Firings', formatInteger(feature.n_fires)],
  ] as const;
  return (
    <dl className="space-y-1 text-sm">
      {figures.map(([name, value]) => (
        <div key={name} className="flex justify-between gap-3">
          <dt className="text-slate-400">{name}</dt>
          <dd className="font-mono tabular-nums">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Promoted({ id }: { id: number }) {
  const { value } = useLogitLens(id);
  return (
    <div className="min-h-24">
      <h4 className="mb-2 text-sm font-medium text-slate-300">Promotes</h4>
      <p className="flex flex-wrap gap-1.5">
        {value?.top.slice(0, TOKENS).map((token) => (
          <span
            key={token.token_id}
            title={formatDecimal(token.logit, 2)}
            className="rounded bg-blue-500/15 px-1.5 py-0.5 font-mono text-xs text-blue-200"
          >
            {quotedToken(token.token)}
          </span>
        ))}
      </p>
    </div>
  );
}

function Contexts({ id }: { id: number }) {
  const { value } = useFeatureExamples(id);
  return (
    <div>
      <h4 className="mb-2 text-sm font-medium text-slate-300">Strongest contexts</h4>
      {value?.length === 0 && <p className="text-sm text-slate-400">Never fired.</p>}
      <ol className="space-y-2 text-xs text-slate-300">
        {value?.slice(0, EXAMPLES).map((example) => (
          <li key={example.rank} className="line-clamp-3 rounded bg-slate-800/30 p-2">
            <TokenHighlights tokens={contextTokens(example, 3)} max={example.max_activation} />
          </li>
        ))}
      </ol>
    </div>
  );
}
