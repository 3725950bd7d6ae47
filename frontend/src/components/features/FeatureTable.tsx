import { ArrowDown, ArrowUp } from 'lucide-react';
import { type ReactNode, useEffect, useRef } from 'react';
import { useVirtualRows, type VirtualRows } from '@/components/common/useVirtualRows';
import type { FeatureRows } from '@/hooks/useFeatureRows';
import type { FeatureSort } from '@/services/featureService';
import { classNames } from '@/utils/classNames';
import { effectiveSort, type TableState } from './featureQuery';
import { FeatureTableRow, PendingRow, ROW_HEIGHT, type RowActions } from './FeatureTableRow';
import type { Column } from './tableColumns';

interface FeatureTableProps extends RowActions {
  rows: FeatureRows;
  total: number;
  columns: readonly Column[];
  table: Pick<TableState, 'search' | 'sort' | 'order'>;
  onSort: (sort: FeatureSort) => void;
  /** Hands out the means to bring a row into sight. */
  onReady: (reveal: VirtualRows['reveal']) => void;
}

/** All features in one scrolling table; only the rows in sight are drawn and fetched. */
export function FeatureTable(props: FeatureTableProps) {
  const { rows, total, columns, table, onSort, onReady, ...actions } = props;
  const boxRef = useRef<HTMLDivElement>(null);
  const virtual = useVirtualRows(boxRef, total, ROW_HEIGHT);
  const { first, end, reveal } = virtual;
  const { show } = rows;
  useEffect(() => show(first, Math.max(first, end - 1)));
  useEffect(() => onReady(reveal), [onReady, reveal]);
  const indices = Array.from({ length: end - first }, (_, step) => first + step);

  return (
    <div
      ref={boxRef}
      onScroll={virtual.onScroll}
      role="region"
      aria-label="Features"
      tabIndex={0}
      className="h-[calc(100vh-13rem)] min-h-96 overflow-auto rounded-lg border border-slate-800"
    >
      <table
        className="w-full min-w-3xl table-fixed text-sm"
        aria-busy={rows.isLoading}
        aria-rowcount={total + 1}
      >
        <thead className="sticky top-0 z-10 bg-slate-800 text-left text-slate-300">
          <tr className="h-11" aria-rowindex={1}>
            <Heading className="w-20" sort="neuron_index" {...{ table, onSort }}>
              ID
            </Heading>
            {columns.map(({ id, label, className, sort }) => (
              <Heading key={id} className={className} sort={sort} {...{ table, onSort }}>
                {label}
              </Heading>
            ))}
            <th scope="col" className="w-32 px-4 text-right font-medium">
              Actions
            </th>
          </tr>
        </thead>
        <tbody>
          <Spacer height={virtual.before} />
          {indices.map((index) => {
            const row = rows.rowAt(index);
            return row ? (
              <FeatureTableRow key={index} {...{ row, index, columns }} {...actions} />
            ) : (
              <PendingRow key={index} {...{ index, columns }} />
            );
          })}
          <Spacer height={virtual.after} />
        </tbody>
      </table>
    </div>
  );
}

function Spacer({ height }: { height: number }) {
  return height > 0 ? <tr aria-hidden style={{ height }} /> : null;
}

interface HeadingProps {
  className: string;
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
    <th
      scope="col"
      aria-sort={isSorted ? order : undefined}
      className={classNames('px-4 font-medium', className, 'text-slate-300')}
    >
      {sort ? (
        <button
          type="button"
          onClick={() => onSort(sort)}
          className="inline-flex items-center gap-1 rounded hover:text-slate-100"
        >
          {children}
          {isSorted && <Arrow className="size-3.5 text-emerald-400" aria-hidden />}
        </button>
      ) : (
        children
      )}
    </th>
  );
}
