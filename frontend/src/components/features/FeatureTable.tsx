import { Star, Zap } from 'lucide-react';
import { IconButton } from '@/components/common/IconButton';
import type { FeatureRow } from '@/types/feature.types';
import { formatDecimal, formatInteger, formatShare } from '@/utils/format';
import { TokenHighlights } from '../visualizations/TokenHighlights';
import { aroundPeak, contextTokens } from './exampleTokens';

const CONTEXT_CHARACTERS = 130;

interface FeatureTableProps {
  rows: readonly FeatureRow[];
  /** Dims the rows while the next page is on its way. */
  isStale: boolean;
  onOpen: (id: number) => void;
  onFavourite: (row: FeatureRow) => void;
  onSteer: (row: FeatureRow) => void;
}

export function FeatureTable({ rows, isStale, onOpen, onFavourite, onSteer }: FeatureTableProps) {
  return (
    <div className="overflow-x-auto rounded-lg border border-slate-800">
      <table className="w-full table-fixed text-sm" aria-busy={isStale}>
        <thead className="bg-slate-800/50 text-left text-slate-300">
          <tr>
            <Heading className="w-20">ID</Heading>
            <Heading className="w-52">Label</Heading>
            <Heading className="min-w-80">Example context</Heading>
            <Heading className="w-28 text-right">Frequency</Heading>
            <Heading className="w-24 text-right">Max act.</Heading>
            <Heading className="w-24 text-right">Actions</Heading>
          </tr>
        </thead>
        <tbody className={isStale ? 'opacity-50 transition-opacity' : 'transition-opacity'}>
          {rows.map((row) => (
            <FeatureTableRow key={row.id} {...{ row, onOpen, onFavourite, onSteer }} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Heading({ className, children }: { className: string; children: string }) {
  return (
    <th scope="col" className={`px-4 py-3 font-medium ${className}`}>
      {children}
    </th>
  );
}

type RowProps = Omit<FeatureTableProps, 'rows' | 'isStale'> & { row: FeatureRow };

function FeatureTableRow({ row, onOpen, onFavourite, onSteer }: RowProps) {
  const number = formatInteger(row.neuron_index);
  return (
    <tr
      data-feature={row.id}
      onClick={() => onOpen(row.id)}
      className="h-16 cursor-pointer border-t border-slate-800 transition-colors focus-within:bg-slate-800/60 hover:bg-slate-800/40"
    >
      <td className="px-4 py-2">
        <button
          type="button"
          data-row-focus
          aria-label={`Open feature ${number}`}
          className="scroll-my-24 rounded font-mono text-slate-400 hover:text-slate-200"
          onClick={(event) => {
            event.stopPropagation();
            onOpen(row.id);
          }}
        >
          #{row.neuron_index}
        </button>
      </td>
      <td className="px-4 py-2">
        <div className="truncate text-slate-100" title={row.name ?? undefined}>
          {row.name ?? <span className="text-slate-400 italic">No label</span>}
        </div>
      </td>
      <td className="px-4 py-2">
        <ExampleCell row={row} />
      </td>
      <td className="px-4 py-2 text-right text-emerald-400 tabular-nums">
        {formatShare(row.activation_frequency, 2)}
      </td>
      <td className="px-4 py-2 text-right text-purple-400 tabular-nums">
        {formatDecimal(row.max_activation, 2)}
      </td>
      <td className="px-4 py-2" onClick={(event) => event.stopPropagation()}>
        <div className="flex justify-end gap-1">
          <IconButton
            label={`Steer with feature ${number}`}
            icon={Zap}
            onClick={() => onSteer(row)}
          />
          <IconButton
            label={`Favourite feature ${number}`}
            aria-pressed={row.is_favorite}
            icon={Star}
            tone={row.is_favorite ? 'yellow' : 'neutral'}
            iconClassName={row.is_favorite ? 'fill-current' : ''}
            onClick={() => onFavourite(row)}
          />
        </div>
      </td>
    </tr>
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
