import { memo } from 'react';
import type { FeatureRow } from '@/types/feature.types';
import { classNames } from '@/utils/classNames';
import { formatInteger } from '@/utils/format';
import type { Column } from './tableColumns';

/** Pixels; every row has it, so that a place in the table is a place on the screen. */
export const ROW_HEIGHT = 48;

export interface RowActions {
  onOpen: (id: number) => void;
  onFavourite: (row: FeatureRow) => void;
  onSteer: (row: FeatureRow) => void;
  onCompare: (row: FeatureRow) => void;
  /** Chooses the row among others, or takes it out again. */
  onPick: (row: FeatureRow) => void;
}

interface RowProps extends RowActions {
  row: FeatureRow;
  index: number;
  columns: readonly Column[];
  isPicked: boolean;
}

const PLACE =
  'absolute inset-x-0 top-0 h-12 border-b border-slate-800 contain-strict [contain-intrinsic-size:auto_48px]';

function placeOf(index: number) {
  return { transform: `translateY(${index * ROW_HEIGHT}px)` };
}

/** One feature. Drawn anew only when it changed, of few nodes: scrolling moves dozens of them. */
export const FeatureTableRow = memo(function FeatureTableRow(props: RowProps) {
  const { row, index, columns, isPicked, onOpen, onFavourite, onSteer, onCompare, onPick } = props;
  const number = formatInteger(row.neuron_index);
  return (
    <div
      role="row"
      data-feature={row.id}
      data-index={index}
      aria-rowindex={index + 2}
      onClick={() => onOpen(row.id)}
      style={placeOf(index)}
      className={classNames(
        PLACE,
        'grid cursor-pointer grid-cols-(--tracks) items-center focus-within:bg-slate-800/60 hover:bg-slate-800/40',
        isPicked && 'bg-emerald-500/10',
      )}
    >
      <div role="cell" className="pl-3" onClick={(event) => event.stopPropagation()}>
        <input
          type="checkbox"
          aria-label={`Choose feature ${number}`}
          className="block size-3.5 cursor-pointer accent-emerald-500"
          checked={isPicked}
          onChange={() => onPick(row)}
        />
      </div>
      <div role="cell" className="px-3">
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
      </div>
      {columns.map(({ id, className, render }) => (
        <div key={id} role="cell" className={classNames('min-w-0 px-3', className)}>
          {render(row)}
        </div>
      ))}
      <div
        role="cell"
        className="flex justify-end pr-2"
        onClick={(event) => event.stopPropagation()}
      >
        <RowButton
          name={`Compare feature ${number}`}
          icon="row-icon-compare"
          onClick={() => onCompare(row)}
        />
        <RowButton
          name={`Steer with feature ${number}`}
          icon="row-icon-steer"
          onClick={() => onSteer(row)}
        />
        <RowButton
          name={`Favourite feature ${number}`}
          icon={row.is_favorite ? 'row-icon-star-on' : 'row-icon-star'}
          isPressed={row.is_favorite}
          onClick={() => onFavourite(row)}
        />
      </div>
    </div>
  );
});

interface RowButtonProps {
  name: string;
  /** A picture of the style sheet: one node where an inline SVG has five. */
  icon: string;
  isPressed?: boolean;
  onClick: () => void;
}

function RowButton({ name, icon, isPressed, onClick }: RowButtonProps) {
  return (
    <button
      type="button"
      aria-label={name}
      title={name}
      aria-pressed={isPressed}
      className={`row-icon size-8 rounded-lg hover:bg-slate-700 ${icon}`}
      onClick={onClick}
    />
  );
}

/** Holds the place of a row that is on its way. */
export function PendingRow({ index }: { index: number }) {
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      style={placeOf(index)}
      className={`${PLACE} px-3 py-3.5`}
    >
      <div role="cell" className="h-5 rounded bg-slate-800/60" />
    </div>
  );
}
