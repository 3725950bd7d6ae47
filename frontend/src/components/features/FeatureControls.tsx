import { ArrowDown, ArrowUp, Star } from 'lucide-react';
import { Button } from '@/components/common/Button';
import { Select } from '@/components/common/Select';
import type { FeatureSort } from '@/services/featureService';
import { classNames } from '@/utils/classNames';
import { ColumnChooser } from './ColumnChooser';
import { effectiveSort, sortOptions, type TableState } from './featureQuery';
import { RangeFilter } from './RangeFilter';
import type { Column } from './tableColumns';

interface FeatureControlsProps {
  table: TableState;
  onChange: (changes: Partial<TableState>) => void;
  columns: readonly Column[];
  onColumns: (ids: readonly string[]) => void;
}

/** Favourites filter, order and columns of the table, beside what it shows. */
export function FeatureControls({ table, onChange, columns, onColumns }: FeatureControlsProps) {
  const isDescending = table.order === 'desc';
  return (
    <div className="flex flex-wrap items-center gap-2">
      <Button
        icon={Star}
        aria-pressed={table.onlyFavourites}
        className={classNames(table.onlyFavourites && 'text-yellow-400')}
        onClick={() => onChange({ onlyFavourites: !table.onlyFavourites })}
      >
        Favourites
      </Button>
      <div className="w-52">
        <Select
          label="Sort by"
          isLabelHidden
          title="Sort by"
          className="text-sm"
          value={effectiveSort(table)}
          options={sortOptions(table)}
          onChange={(sort) => onChange({ sort: sort as FeatureSort })}
        />
      </div>
      <Button
        icon={isDescending ? ArrowDown : ArrowUp}
        aria-label={
          isDescending ? 'Descending; switch to ascending' : 'Ascending; switch to descending'
        }
        onClick={() => onChange({ order: isDescending ? 'asc' : 'desc' })}
      >
        {isDescending ? 'High first' : 'Low first'}
      </Button>
      <RangeFilter ranges={table.ranges} onChange={(ranges) => onChange({ ranges })} />
      <ColumnChooser shown={columns} onChange={onColumns} />
    </div>
  );
}
