import { Button } from '@/components/common/Button';
import { Chip } from '@/components/common/Chip';
import { formatInteger } from '@/utils/format';
import { describeRange, rangeName } from './describeRange';
import type { TableState } from './featureQuery';

interface FilterChipsProps {
  table: TableState;
  total: number | null;
  isCapped?: boolean;
  /** What is shown answers the filter before. */
  isLoading?: boolean;
  /** Why the search was not read as a text. */
  liveMessage?: string | null;
  onReadAgain?: () => void;
  onChange: (changes: Partial<TableState>) => void;
}

/** How many features match, and the filters that made it so, each removable. */
export function FilterChips({
  table,
  total,
  isCapped = false,
  isLoading = false,
  liveMessage = null,
  onReadAgain,
  onChange,
}: FilterChipsProps) {
  const search = table.search.trim();
  return (
    <div className="flex min-h-8 flex-wrap items-center gap-2 text-sm">
      <span role="status" className="mr-2 text-slate-400 tabular-nums">
        {total === null ? 'Counting…' : `${formatInteger(total)}${isCapped ? '+' : ''} features`}
        {isLoading && total !== null && ' · reading…'}
        {liveMessage !== null && ` · not read as a text: ${liveMessage}`}
      </span>
      {liveMessage !== null && (
        <Button size="sm" variant="ghost" onClick={onReadAgain}>
          Read again
        </Button>
      )}
      {search && (
        <Chip removeLabel="Remove the search" onRemove={() => onChange({ search: '' })}>
          matches “{search}”
        </Chip>
      )}
      {table.onlyFavourites && (
        <Chip
          removeLabel="Remove the favourites filter"
          onRemove={() => onChange({ onlyFavourites: false })}
        >
          favourites
        </Chip>
      )}
      {table.ranges.map((range) => (
        <Chip
          key={range.column}
          removeLabel={`Remove the filter on ${rangeName(range)}`}
          onRemove={() => onChange({ ranges: table.ranges.filter((other) => other !== range) })}
        >
          {describeRange(range)}
        </Chip>
      ))}
      {table.tags.map((tag) => (
        <Chip
          key={tag}
          removeLabel={`Remove the tag filter ${tag}`}
          onRemove={() => onChange({ tags: table.tags.filter((other) => other !== tag) })}
        >
          tagged {tag}
        </Chip>
      ))}
    </div>
  );
}
