import type { ReactNode } from 'react';
import type { FeatureSort } from '@/services/featureService';
import type { FeatureRow } from '@/types/feature.types';
import { formatInteger } from '@/utils/format';
import { TokenHighlights } from '../visualizations/TokenHighlights';
import { quotedToken } from '../visualizations/tokenText';
import { aroundPeak, contextTokens, withQuietJoined } from './exampleTokens';
import { FIGURES } from './featureFigures';
import { describeMatch } from './searchMatches';

const CONTEXT_CHARACTERS = 130;

/** One column of the table that can be shown or hidden. */
export interface Column {
  id: string;
  label: string;
  /** Width in rem, of which it gets more when there is room and it grows. */
  width: number;
  grows?: number;
  /** Colour and alignment. */
  className: string;
  /** By what the server sorts when its heading is pressed. */
  sort?: FeatureSort;
  render: (row: FeatureRow) => ReactNode;
}

const NUMBER = 'text-right tabular-nums';
const NUMBER_WIDTH = 7.25;
const TONES: Readonly<Record<string, string>> = {
  frequency: 'text-emerald-400',
  score: 'text-blue-400',
  max: 'text-purple-400',
};

export const COLUMNS: readonly Column[] = [
  {
    id: 'label',
    label: 'Label',
    width: 11,
    grows: 1,
    className: '',
    sort: 'name',
    render: (row) => <LabelCell row={row} />,
  },
  {
    id: 'token',
    label: 'Top token',
    width: 7,
    className: '',
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
    width: 18,
    grows: 3,
    className: '',
    render: (row) => <ExampleCell row={row} />,
  },
  ...FIGURES.map(({ key, id, heading, format }) => ({
    id,
    label: heading,
    width: NUMBER_WIDTH,
    className: `${NUMBER} ${TONES[id] ?? ''}`,
    sort: key,
    render: (row: FeatureRow) => format(row[key]),
  })),
  {
    id: 'cluster',
    label: 'Cluster',
    width: NUMBER_WIDTH,
    className: NUMBER,
    sort: 'cluster',
    render: (row) => formatInteger(row.cluster),
  },
  {
    id: 'tags',
    label: 'Tags',
    width: 9,
    grows: 1,
    className: '',
    render: (row) => <div className="truncate text-slate-300">{row.tags.join(', ')}</div>,
  },
];

export const DEFAULT_COLUMNS = ['label', 'context', 'frequency', 'score', 'max'] as const;

const CHECK_WIDTH = 2.25;
const ID_WIDTH = 5.75;
const ACTIONS_WIDTH = 7.5;

/** The tracks of the grid that each row is, and the width below which the table scrolls. */
export function tableTracks(columns: readonly Column[]): { tracks: string; minWidth: string } {
  const inner = columns.map(({ width, grows }) =>
    grows ? `minmax(${width}rem, ${grows}fr)` : `${width}rem`,
  );
  const fixed = CHECK_WIDTH + ID_WIDTH + ACTIONS_WIDTH;
  const least = columns.reduce((sum, { width }) => sum + width, fixed);
  const tracks = [
    `${CHECK_WIDTH}rem`,
    `${ID_WIDTH}rem`,
    ...inner,
    `minmax(${ACTIONS_WIDTH}rem, auto)`,
  ];
  return { tracks: tracks.join(' '), minWidth: `${least}rem` };
}

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
  const tokens = aroundPeak(contextTokens(example, 3), example.position, CONTEXT_CHARACTERS);
  return (
    <div className="line-clamp-2 text-xs text-slate-300">
      <TokenHighlights tokens={withQuietJoined(tokens)} max={example.max_activation} />
    </div>
  );
}
