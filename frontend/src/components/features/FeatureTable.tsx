import { ArrowDown, ArrowUp } from 'lucide-react';
import { type CSSProperties, type ReactNode, useEffect, useMemo, useRef } from 'react';
import { useVirtualRows, type VirtualRows } from '@/components/common/useVirtualRows';
import type { FeatureRows } from '@/hooks/useFeatureRows';
import type { FeatureSort } from '@/services/featureService';
import { classNames } from '@/utils/classNames';
import { effectiveSort, type TableState } from './featureQuery';
import { FeatureTableRow, PendingRow, ROW_HEIGHT, type RowActions } from './FeatureTableRow';
import { type Column, tableTracks } from './tableColumns';

interface FeatureTableProps extends RowActions {
  rows: FeatureRows;
  total: number;
  columns: readonly Column[];
  picked: ReadonlySet<number>;
  table: Pick<TableState, 'search' | 'sort' | 'order'>;
  onSort: (sort: FeatureSort) => void;
  /** Hands out the means to bring a row into sight. */
  onReady: (reveal: VirtualRows['reveal']) => void;
}

/**
 * All features in one scrolling table; only the rows in sight are drawn and fetched.
 *
 * Each row is a grid of its own at its own place, so that a row that comes or goes changes the
 * layout of no other: in a real `<table>` it is computed for all of them. The box is opaque because
 * only then Chromium moves what is drawn instead of drawing it again.
 */
export function FeatureTable(props: FeatureTableProps) {
  const { rows, total, columns, picked, table, onSort, onReady, ...actions } = props;
  const boxRef = useRef<HTMLDivElement>(null);
  const virtual = useVirtualRows(boxRef, total, ROW_HEIGHT);
  const { first, end, reveal } = virtual;
  const { show } = rows;
  useEffect(() => show(first, Math.max(first, end - 1)));
  useEffect(() => onReady(reveal), [onReady, reveal]);
  const indices = Array.from({ length: end - first }, (_, step) => first + step);
  const { tracks, minWidth } = useMemo(() => tableTracks(columns), [columns]);

  return (
    <div
      ref={boxRef}
      onScroll={virtual.onScroll}
      role="region"
      aria-label="Features"
      tabIndex={0}
      className="h-[calc(100vh-11rem)] min-h-80 overflow-auto rounded-lg border border-slate-800 bg-slate-950"
    >
      <div
        role="table"
        aria-label="Features"
        aria-busy={rows.isLoading}
        aria-rowcount={total + 1}
        className="text-sm"
        style={{ minWidth, '--tracks': tracks } as CSSProperties}
      >
        <div role="rowgroup" className="sticky top-0 z-10 bg-slate-800">
          <div
            role="row"
            aria-rowindex={1}
            className="grid h-9 grid-cols-(--tracks) items-center text-slate-300"
          >
            <span role="columnheader" className="sr-only">
              Chosen
            </span>
            <span aria-hidden />
            <Heading sort="neuron_index" {...{ table, onSort }}>
              ID
            </Heading>
            {columns.map(({ id, label, className, sort }) => (
              <Heading key={id} className={className} sort={sort} {...{ table, onSort }}>
                {label}
              </Heading>
            ))}
            <div role="columnheader" className="px-3 text-right font-medium">
              Actions
            </div>
          </div>
        </div>
        <div role="rowgroup" className="relative" style={{ height: total * ROW_HEIGHT }}>
          {indices.map((index) => {
            const row = rows.rowAt(index);
            return row ? (
              <FeatureTableRow
                key={index}
                {...{ row, index, columns }}
                isPicked={picked.has(row.id)}
                {...actions}
              />
            ) : (
              <PendingRow key={index} index={index} />
            );
          })}
        </div>
      </div>
    </div>
  );
}

interface HeadingProps {
  className?: string;
  sort?: FeatureSort | undefined;
  table: Pick<TableState, 'search' | 'sort' | 'order'>;
  onSort: (sort: FeatureSort) => void;
  children: ReactNode;
}

function Heading({ className, sort, table, onSort, children }: HeadingProps) {
  const isSorted = sort === effectiveSort(table);
  const Arrow = table.order === 'desc' ? ArrowDown : ArrowUp;
  const order = table.order === 'desc' ? 'descending' : 'ascending';
  return (
    <div
      role="columnheader"
      aria-sort={isSorted ? order : undefined}
      className={classNames('min-w-0 px-3 font-medium', className, 'text-slate-300')}
    >
      {sort ? (
        <button
          type="button"
          onClick={() => onSort(sort)}
          className="inline-flex max-w-full items-center gap-1 rounded hover:text-slate-100"
        >
          <span className="truncate">{children}</span>
          {isSorted && <Arrow className="size-3.5 shrink-0 text-emerald-400" aria-hidden />}
        </button>
      ) : (
        children
      )}
    </div>
  );
}
