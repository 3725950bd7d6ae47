import { ArrowDown, ArrowUp, Star } from 'lucide-react';
import type { Ref } from 'react';
import { Button } from '@/components/common/Button';
import { SearchInput } from '@/components/common/SearchInput';
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
  searchRef: Ref<HTMLInputElement>;
  columns: readonly Column[];
  onColumns: (ids: readonly string[]) => void;
}

/** Search, favourites filter and order of the table. */
export function FeatureControls({
  table,
  onChange,
  searchRef,
  columns,
  onColumns,
}: FeatureControlsProps) {
  const isDescending = table.order === 'desc';
  return (
    <div className="flex flex-wrap items-end gap-3">
      <div className="min-w-64 flex-1">
        <SearchInput
          ref={searchRef}
          label="Search features"
          placeholder="Search labels, tokens it fires on or promotes, texts  ( / )"
          value={table.search}
          onChange={(search) => onChange({ search })}
        />
      </div>
      <Button
        icon={Star}
        aria-pressed={table.onlyFavourites}
        className={classNames('py-2.5', table.onlyFavourites && 'text-yellow-400')}
        onClick={() => onChange({ onlyFavourites: !table.onlyFavourites })}
      >
        Favourites
      </Button>
      <div className="w-56">
        <Select
          label="Sort by"
          value={effectiveSort(table)}
          options={sortOptions(table)}
          onChange={(sort) => onChange({ sort: sort as FeatureSort })}
        />
      </div>
      <Button
        className="py-2.5"
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
