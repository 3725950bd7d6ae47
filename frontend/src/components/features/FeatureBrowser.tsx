import { Search } from 'lucide-react';
import { useRef } from 'react';
import { Button } from '@/components/common/Button';
import { EmptyState } from '@/components/common/EmptyState';
import { ErrorBox } from '@/components/common/ErrorBox';
import { Pager } from '@/components/common/Pager';
import { SkeletonList } from '@/components/common/Skeleton';
import type { FeaturePage } from '@/hooks/useFeatures';
import type { FeatureRow } from '@/types/feature.types';
import { FeatureControls } from './FeatureControls';
import { changeTable, defaultTable, isFiltered, type TableState } from './featureQuery';
import { FeatureTable } from './FeatureTable';
import { useTableKeys } from './useTableKeys';

interface FeatureBrowserProps {
  page: FeaturePage;
  table: TableState;
  onTable: (table: TableState) => void;
  onOpen: (id: number) => void;
  onFavourite: (row: FeatureRow) => void;
  onSteer: (row: FeatureRow) => void;
  /** Off while a dialog has the keyboard. */
  hasKeyboard: boolean;
}

/** The table of all features with its search, order and pages. */
export function FeatureBrowser({
  page,
  table,
  onTable,
  onOpen,
  onFavourite,
  onSteer,
  hasKeyboard,
}: FeatureBrowserProps) {
  const searchRef = useRef<HTMLInputElement>(null);
  const tableRef = useRef<HTMLDivElement>(null);
  const change = (changes: Partial<TableState>) => onTable(changeTable(table, changes));
  useTableKeys({ tableRef, searchRef, rows: page.rows, onFavourite, onSteer, isOn: hasKeyboard });

  return (
    <section aria-label="Feature browser" className="space-y-4">
      <FeatureControls table={table} onChange={change} searchRef={searchRef} />
      {page.problem && (
        <ErrorBox problem={page.problem} action={{ label: 'Try again', onClick: page.refetch }} />
      )}
      <div ref={tableRef}>
        <Rows {...{ page, table, onTable, onOpen, onFavourite, onSteer }} />
      </div>
      {page.pagination && page.pagination.total > 0 && (
        <Pager
          pagination={page.pagination}
          noun="features"
          onPage={(next) => change({ page: next })}
        />
      )}
    </section>
  );
}

type RowsProps = Omit<FeatureBrowserProps, 'hasKeyboard'>;

function Rows({ page, table, onTable, onOpen, onFavourite, onSteer }: RowsProps) {
  const { rows, isLoading, problem } = page;
  if (rows.length > 0) {
    return <FeatureTable {...{ rows, onOpen, onFavourite, onSteer }} isStale={isLoading} />;
  }
  if (isLoading) {
    return (
      <div className="space-y-1">
        <SkeletonList label="Loading features" count={10} className="h-16" />
      </div>
    );
  }
  if (problem) return null;
  if (!isFiltered(table)) {
    return <EmptyState icon={Search} title="No features on this page" />;
  }
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
