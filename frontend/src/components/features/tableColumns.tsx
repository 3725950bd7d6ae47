import type { ReactNode } from 'react';
import type { FeatureSort } from '@/services/featureService';
import type { FeatureRow } from '@/types/feature.types';
import { formatDecimal, formatInteger, formatShare } from '@/utils/format';
import { TokenHighlights } from '../visualizations/TokenHighlights';
import { aroundPeak, contextTokens } from './exampleTokens';

const CONTEXT_CHARACTERS = 130;

/** One column of the table that can be shown or hidden. */
export interface Column {
  id: string;
  label: string;
  /** Width and alignment. */
  className: string;
  /** By what the server sorts when its heading is pressed. */
  sort?: FeatureSort;
  render: (row: FeatureRow) => ReactNode;
}

const NUMBER = 'w-28 text-right tabular-nums';

export const COLUMNS: readonly Column[] = [
  {
    id: 'label',
    label: 'Label',
    className: 'w-52',
    sort: 'name',
    render: (row) => (
      <div className="truncate text-slate-100" title={row.name ?? undefined}>
        {row.name ?? <span className="text-slate-400 italic">No label</span>}
      </div>
    ),
  },
  {
    id: 'context',
    label: 'Example context',
    className: 'min-w-72',
    render: (row) => <ExampleCell row={row} />,
  },
  {
    id: 'frequency',
    label: 'Frequency',
    className: `${NUMBER} text-emerald-400`,
    sort: 'activation_frequency',
    render: (row) => formatShare(row.activation_frequency, 2),
  },
  {
    id: 'score',
    label: 'Interpret.',
    className: `${NUMBER} text-blue-400`,
    sort: 'interpretability',
    render: (row) => formatShare(row.interpretability_score),
  },
  {
    id: 'max',
    label: 'Max act.',
    className: `${NUMBER} text-purple-400`,
    sort: 'max_activation',
    render: (row) => formatDecimal(row.max_activation, 2),
  },
  {
    id: 'mean',
    label: 'Mean act.',
    className: NUMBER,
    sort: 'mean_activation',
    render: (row) => formatDecimal(row.mean_activation, 2),
  },
  {
    id: 'fires',
    label: 'Firings',
    className: NUMBER,
    render: (row) => formatInteger(row.n_fires),
  },
  {
    id: 'output',
    label: 'Steers',
    className: NUMBER,
    sort: 'output_score',
    render: (row) => formatDecimal(row.output_score, 3),
  },
  {
    id: 'input',
    label: 'Reads',
    className: NUMBER,
    sort: 'input_score',
    render: (row) => formatShare(row.input_score),
  },
];

export const DEFAULT_COLUMNS = ['label', 'context', 'frequency', 'max'] as const;

/** The columns named in an address, in the table's own order; unknown names are left out. */
export function readColumns(text: string | null): Column[] {
  const ids = text === null ? DEFAULT_COLUMNS : text.split('.');
  return COLUMNS.filter(({ id }) => (ids as readonly string[]).includes(id));
}

/** Null for the default choice, which leaves no trace in the address. */
export function writeColumns(ids: readonly string[]): string | null {
  const sorted = COLUMNS.filter(({ id }) => ids.includes(id)).map(({ id }) => id);
  const text = sorted.join('.');
  return text === DEFAULT_COLUMNS.join('.') ? null : text || 'label';
}

function ExampleCell({ row }: { row: FeatureRow }) {
  const example = row.top_example;
  if (!example) return <span className="text-slate-400">Never fired</span>;
  const tokens = contextTokens(example, 3);
  return (
    <div className="line-clamp-2 text-xs text-slate-300">
      <TokenHighlights
        tokens={aroundPeak(tokens, example.position, CONTEXT_CHARACTERS)}
        max={example.max_activation}
      />
    </div>
  );
}
