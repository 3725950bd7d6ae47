import { Search } from 'lucide-react';
import { type ReactNode, useCallback, useRef } from 'react';
import { Button } from '@/components/common/Button';
import { EmptyState } from '@/components/common/EmptyState';
import { ErrorBox } from '@/components/common/ErrorBox';
import { SearchInput } from '@/components/common/SearchInput';
import { Skeleton } from '@/components/common/Skeleton';
import type { FeatureRows } from '@/hooks/useFeatureRows';
import { FeatureControls } from './FeatureControls';
import { defaultTable, isFiltered, sortedBy, type TableState } from './featureQuery';
import { FeatureTable } from './FeatureTable';
import type { RowActions } from './FeatureTableRow';
import { FilterChips } from './FilterChips';
import { PickedBar } from './PickedBar';
import { useTableColumns } from './useTableColumns';
import { useTableKeys } from './useTableKeys';

interface FeatureBrowserProps extends RowActions {
  rows: FeatureRows;
  table: TableState;
  onTable: (table: TableState) => void;
  picked: ReadonlySet<number>;
  /** Off while a dialog has the keyboard. */
  hasKeyboard: boolean;
  /** What stands before and after the search. */
  lead?: ReactNode;
  trail?: ReactNode;
}

/** The table of all features with its search, order and columns. */
export function FeatureBrowser(props: FeatureBrowserProps) {
  const { rows, table, onTable, picked, hasKeyboard, lead, trail, ...actions } = props;
  const searchRef = useRef<HTMLInputElement>(null);
  const tableRef = useRef<HTMLDivElement>(null);
  const reveal = useRef<(index: number) => void>(() => undefined);
  const handleReady = useCallback((next: (index: number) => void) => {
    reveal.current = next;
  }, []);
  const [columns, setColumns] = useTableColumns();
  const change = (changes: Partial<TableState>) => onTable({ ...table, ...changes });
  useTableKeys({ tableRef, searchRef, rows, reveal, isOn: hasKeyboard, ...actions });
  const { total, problem, isLoading } = rows;

  return (
    <section aria-label="Feature browser" className="space-y-2">
      <div className="flex flex-wrap items-center gap-3">
        {lead}
        <div className="min-w-64 flex-1">
          <SearchInput
            ref={searchRef}
            className="text-sm"
            label="Search features"
            placeholder="Search labels and tokens, or write a text to see what fires  ( / )"
            value={table.search}
            onChange={(search) => change({ search })}
          />
        </div>
        {trail}
      </div>
      <div className="flex flex-wrap items-center justify-between gap-x-3 gap-y-2">
        {picked.size > 0 ? (
          <PickedBar picked={picked} />
        ) : (
          <FilterChips
            {...{ table, total, isLoading }}
            isCapped={rows.isCapped}
            liveMessage={rows.liveMessage}
            onReadAgain={rows.refetch}
            onChange={change}
          />
        )}
        <FeatureControls {...{ table, columns }} onChange={change} onColumns={setColumns} />
      </div>
      {problem && (
        <ErrorBox problem={problem} action={{ label: 'Try again', onClick: rows.refetch }} />
      )}
      <div ref={tableRef}>
        {total ? (
          <FeatureTable
            {...{ rows, total, columns, picked, table }}
            {...actions}
            onSort={(sort) => onTable(sortedBy(table, sort))}
            onReady={handleReady}
          />
        ) : (
          !problem && <NoRows {...{ table, onTable }} isLoading={isLoading || total === null} />
        )}
      </div>
    </section>
  );
}

interface NoRowsProps {
  table: TableState;
  onTable: (table: TableState) => void;
  isLoading: boolean;
}

function NoRows({ table, onTable, isLoading }: NoRowsProps) {
  if (isLoading) {
    return (
      <div role="status" aria-label="Loading features">
        <Skeleton className="h-[calc(100vh-11rem)] min-h-80" />
      </div>
    );
  }
  if (!isFiltered(table)) return <EmptyState icon={Search} title="No features are stored" />;
  const hint = table.onlyFavourites
    ? 'Mark features with the star, or show all of them.'
    : 'Try a word that stands in a label, or a token that the feature fires on.';
  return (
    <EmptyState
      icon={Search}
      title="No feature matches"
      hint={hint}
      action={
        <Button onClick={() => onTable({ ...defaultTable, sort: table.sort, order: table.order })}>
          Show all features
        </Button>
      }
    />
  );
}
