import { useMemo, type ReactNode } from 'react';
import { Button } from '@/components/common/Button';
import type { FeatureMap } from '@/types/feature.types';
import { formatDecimal, formatInteger, formatShare } from '@/utils/format';
import { navigate } from '@/utils/urlState';
import { writeTray } from '../compareTray';
import type { Range } from '../featureQuery';

const LISTED = 8;
const DENSE_FROM = 0.1;

interface AttentionListsProps {
  map: FeatureMap;
  onOpen: (id: number) => void;
  onRanges: (ranges: Range[]) => void;
}

/** Features that never fire, fire nearly everywhere, or point the same way as another. */
export function AttentionLists({ map, onOpen, onRanges }: AttentionListsProps) {
  const { duplicates } = map;
  const { nDead, dense } = useMemo(() => needAttention(map), [map]);
  const places = useMemo(() => placesOf(map, duplicates.slice(0, LISTED)), [map, duplicates]);
  const placeOf = (id: number) => places.get(id) ?? -1;
  const numberAt = (place: number) => `#${map.neuronIndex[place] ?? '?'}`;
  const nameAt = (place: number) => map.nameAt(place) ?? 'No label';
  const total = map.ids.length;
  const share = (count: number) => (total > 0 ? formatShare(count / total) : '–');

  return (
    <div className="space-y-4">
      <List
        title="Dead"
        count={nDead}
        note={`${share(nDead)}, never fired on the tokens measured`}
        onShow={() => onRanges([{ column: 'n_fires', from: null, to: 0 }])}
      />
      <List
        title="Dense"
        count={dense.length}
        note={`${share(dense.length)}, on more than 10 % of the tokens`}
        onShow={() => onRanges([{ column: 'activation_frequency', from: DENSE_FROM, to: null }])}
      >
        {dense.slice(0, LISTED).map((place) => (
          <Entry
            key={place}
            onClick={() => onOpen(map.ids[place] ?? 0)}
            figure={formatShare(map.frequency[place])}
          >
            <span className="font-mono text-slate-400">{numberAt(place)}</span> {nameAt(place)}
          </Entry>
        ))}
      </List>
      <List
        title="Duplicates"
        count={duplicates.length}
        note="pairs whose decoder directions have a cosine of 0.9 or more"
        onShow={() => onRanges([{ column: 'nearest_cosine', from: 0.9, to: null }])}
      >
        {duplicates.slice(0, LISTED).map(([one, other, cosine]) => (
          <Entry
            key={`${one} ${other}`}
            onClick={() => navigate({ compare: writeTray([one, other]), comparing: '1' })}
            figure={formatDecimal(cosine, 3)}
          >
            <span className="font-mono text-slate-400">
              {numberAt(placeOf(one))} {numberAt(placeOf(other))}
            </span>{' '}
            {nameAt(placeOf(one))}
          </Entry>
        ))}
      </List>
    </div>
  );
}

/** How many never fired, and the places of those that fire nearly everywhere. */
function needAttention({ frequency }: FeatureMap) {
  let nDead = 0;
  const dense: number[] = [];
  for (let place = 0; place < frequency.length; place += 1) {
    const share = frequency[place] ?? NaN;
    if (share === 0) nDead += 1;
    else if (share > DENSE_FROM) dense.push(place);
  }
  return { nDead, dense };
}

/** Where the features of the pairs stand among the columns. */
function placesOf({ ids }: FeatureMap, pairs: FeatureMap['duplicates']): Map<number, number> {
  const wanted = new Set(pairs.flatMap(([one, other]) => [one, other]));
  return new Map([...wanted].map((id) => [id, ids.indexOf(id)]));
}

interface ListProps {
  title: string;
  count: number;
  note: string;
  onShow: () => void;
  children?: ReactNode;
}

function List({ title, count, note, onShow, children }: ListProps) {
  return (
    <section
      aria-label={title}
      className="rounded-lg border border-slate-800 bg-slate-900/50 p-4 text-sm"
    >
      <div className="flex items-center justify-between gap-3">
        <h3 className="font-medium">
          {title} <span className="font-mono text-slate-400">{formatInteger(count)}</span>
        </h3>
        {count > 0 && (
          <Button size="sm" variant="ghost" onClick={onShow}>
            Show in table
          </Button>
        )}
      </div>
      <p className="text-xs text-slate-400">{note}</p>
      {count > 0 && children && <ul className="mt-2 space-y-1">{children}</ul>}
    </section>
  );
}

interface EntryProps {
  figure: string;
  onClick: () => void;
  children: ReactNode;
}

function Entry({ figure, onClick, children }: EntryProps) {
  return (
    <li>
      <button
        type="button"
        className="flex w-full items-center justify-between gap-3 rounded px-1 py-0.5 text-left hover:bg-slate-800"
        onClick={onClick}
      >
        <span className="min-w-0 truncate text-slate-200">{children}</span>
        <span className="shrink-0 font-mono text-xs text-slate-300 tabular-nums">{figure}</span>
      </button>
    </li>
  );
}
