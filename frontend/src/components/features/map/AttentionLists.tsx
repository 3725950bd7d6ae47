import type { ReactNode } from 'react';
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
  const { features, dead, dense, duplicates } = map;
  const places = new Map(features.ids.map((id, place) => [id, place]));
  const numberOf = (id: number) => `#${features.neuron_index[places.get(id) ?? -1] ?? '?'}`;
  const nameOf = (id: number) => features.name[places.get(id) ?? -1] ?? 'No label';
  const frequencyOf = (id: number) => features.activation_frequency[places.get(id) ?? -1];
  const total = features.ids.length;
  const share = (count: number) => (total > 0 ? formatShare(count / total) : '–');

  return (
    <div className="space-y-4">
      <List
        title="Dead"
        count={dead.length}
        note={`${share(dead.length)}, never fired on the tokens measured`}
        onShow={() => onRanges([{ column: 'n_fires', from: null, to: 0 }])}
      />
      <List
        title="Dense"
        count={dense.length}
        note={`${share(dense.length)}, on more than 10 % of the tokens`}
        onShow={() => onRanges([{ column: 'activation_frequency', from: DENSE_FROM, to: null }])}
      >
        {dense.slice(0, LISTED).map((id) => (
          <Entry key={id} onClick={() => onOpen(id)} figure={formatShare(frequencyOf(id))}>
            <span className="font-mono text-slate-400">{numberOf(id)}</span> {nameOf(id)}
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
              {numberOf(one)} {numberOf(other)}
            </span>{' '}
            {nameOf(one)}
          </Entry>
        ))}
      </List>
    </div>
  );
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
