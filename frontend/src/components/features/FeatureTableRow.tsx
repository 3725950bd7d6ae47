import { GitCompare, Star, Zap } from 'lucide-react';
import { memo } from 'react';
import { IconButton } from '@/components/common/IconButton';
import { Skeleton } from '@/components/common/Skeleton';
import type { FeatureRow } from '@/types/feature.types';
import { classNames } from '@/utils/classNames';
import { formatInteger } from '@/utils/format';
import type { Column } from './tableColumns';

/** Pixels; every row has it, so that a place in the table is a place on the screen. */
export const ROW_HEIGHT = 60;

export interface RowActions {
  onOpen: (id: number) => void;
  onFavourite: (row: FeatureRow) => void;
  onSteer: (row: FeatureRow) => void;
  onCompare: (row: FeatureRow) => void;
}

interface RowProps extends RowActions {
  row: FeatureRow;
  index: number;
  columns: readonly Column[];
}

/** One feature. Drawn anew only when it changed: scrolling moves dozens of them. */
export const FeatureTableRow = memo(function FeatureTableRow(props: RowProps) {
  const { row, index, columns, onOpen, onFavourite, onSteer, onCompare } = props;
  const number = formatInteger(row.neuron_index);
  return (
    <tr
      data-feature={row.id}
      data-index={index}
      aria-rowindex={index + 2}
      onClick={() => onOpen(row.id)}
      style={{ height: ROW_HEIGHT }}
      className="cursor-pointer border-t border-slate-800 transition-colors focus-within:bg-slate-800/60 hover:bg-slate-800/40"
    >
      <td className="px-4">
        <button
          type="button"
          data-row-focus
          aria-label={`Open feature ${number}`}
          className="rounded font-mono text-slate-400 hover:text-slate-200"
          onClick={(event) => {
            event.stopPropagation();
            onOpen(row.id);
          }}
        >
          #{row.neuron_index}
        </button>
      </td>
      {columns.map(({ id, className, render }) => (
        <td key={id} className={classNames('px-4', className)}>
          {render(row)}
        </td>
      ))}
      <td className="px-4" onClick={(event) => event.stopPropagation()}>
        <div className="flex justify-end">
          <IconButton
            label={`Compare feature ${number}`}
            icon={GitCompare}
            onClick={() => onCompare(row)}
          />
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
});

/** Holds the place of a row that is on its way. */
export function PendingRow({ index, columns }: { index: number; columns: readonly Column[] }) {
  return (
    <tr
      aria-rowindex={index + 2}
      style={{ height: ROW_HEIGHT }}
      className="border-t border-slate-800"
    >
      <td className="px-4" colSpan={columns.length + 2}>
        <Skeleton className="h-5" />
      </td>
    </tr>
  );
}
