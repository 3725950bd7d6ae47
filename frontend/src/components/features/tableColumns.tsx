import type { ReactNode } from 'react';
import type { FeatureSort } from '@/services/featureService';
import type { FeatureRow } from '@/types/feature.types';
import { formatInteger } from '@/utils/format';
import { TokenHighlights } from '../visualizations/TokenHighlights';
import { quotedToken } from '../visualizations/tokenText';
import { aroundPeak, contextTokens } from './exampleTokens';
import { FIGURES } from './featureFigures';
import { describeMatch } from './searchMatches';

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
const TONES: Readonly<Record<string, string>> = {
  frequency: 'text-emerald-400',
  score: 'text-blue-400',
  max: 'text-purple-400',
};

export const COLUMNS: readonly Column[] = [
  {
    id: 'label',
    label: 'Label',
    className: 'w-52',
    sort: 'name',
    render: (row) => <LabelCell row={row} />,
  },
  {
    id: 'token',
    label: 'Top token',
    className: 'w-28',
    sort: 'top_token',
    render: (row) => (
      <div className="truncate font-mono text-slate-300">
        {row.top_token === null ? '' : quotedToken(row.top_token)}
      </div>
    ),
  },
  {
    id: 'context',
    label: 'Example context',
    className: 'min-w-72',
    render: (row) => <ExampleCell row={row} />,
  },
  ...FIGURES.map(({ key, id, heading, format }) => ({
    id,
    label: heading,
    className: `${NUMBER} ${TONES[id] ?? ''}`,
    sort: key,
    render: (row: FeatureRow) => format(row[key]),
  })),
  {
    id: 'cluster',
    label: 'Cluster',
    className: NUMBER,
    sort: 'cluster',
    render: (row) => formatInteger(row.cluster),
  },
  {
    id: 'tags',
    label: 'Tags',
    className: 'w-36',
    render: (row) => <div className="truncate text-slate-300">{row.tags.join(', ')}</div>,
  },
];

export const DEFAULT_COLUMNS = ['label', 'context', 'frequency', 'score', 'max'] as const;

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

function LabelCell({ row }: { row: FeatureRow }) {
  const reasons = row.matches.map(describeMatch).join(' · ');
  return (
    <>
      <div className="truncate text-slate-100" title={row.name ?? undefined}>
        {row.name ?? <span className="text-slate-400 italic">No label</span>}
      </div>
      {reasons && (
        <div className="truncate text-xs text-blue-300" title={reasons}>
          {reasons}
        </div>
      )}
    </>
  );
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
