import { Check, Plus } from 'lucide-react';
import { useState } from 'react';
import { Button } from '@/components/common/Button';
import { ErrorBox } from '@/components/common/ErrorBox';
import { SearchInput } from '@/components/common/SearchInput';
import { Segmented } from '@/components/common/Segmented';
import { SkeletonList } from '@/components/common/Skeleton';
import { useDebounced } from '@/hooks/useDebounced';
import { type FoundOrder, useFeatureSearch } from '@/hooks/useSteering';
import { useUrlChoice } from '@/hooks/useUrlState';
import type { FeatureRow } from '@/types/feature.types';
import { formatDecimal } from '@/utils/format';

function ordersOf(search: string) {
  return [
    { value: 'max_activation', label: search ? 'Best match' : 'Strongest' },
    { value: 'output_score', label: 'Steers best' },
  ] as const;
}

interface FeatureSelectorProps {
  trainingId: string | null;
  selectedIds: readonly number[];
  isFull: boolean;
  onAdd: (feature: FeatureRow) => void;
}

/** Finds features of a training by label, description or token, and adds them. */
export function FeatureSelector({ trainingId, selectedIds, isFull, onAdd }: FeatureSelectorProps) {
  const [text, setText] = useState('');
  const search = useDebounced(text.trim());
  const [order, setOrder] = useUrlChoice<FoundOrder>('steer_sort', [
    'max_activation',
    'output_score',
  ]);
  const found = useFeatureSearch(trainingId, search, order);
  const rows = found.data?.filter((row) => row.training_id === trainingId) ?? [];

  return (
    <div className="space-y-2">
      <SearchInput
        label="Search features to steer"
        placeholder="Search by label or token"
        value={text}
        onChange={setText}
      />
      <div className="flex flex-wrap items-center justify-between gap-2">
        <Segmented
          label="Order of the features"
          options={ordersOf(search)}
          value={order}
          onChange={setOrder}
        />
        {order === 'output_score' && rows[0]?.output_score === null && (
          <span className="text-xs text-slate-400">
            Not measured yet: “Measure” in the Features tab does it.
          </span>
        )}
      </div>
      {found.error && (
        <ErrorBox problem={found.error} action={{ label: 'Try again', onClick: found.again }} />
      )}
      <ul
        aria-label="Features found"
        aria-busy={found.isLoading}
        tabIndex={0}
        className="h-48 divide-y divide-slate-800 overflow-y-auto rounded-lg border border-slate-800"
      >
        {rows.map((row) => (
          <FoundFeature
            key={row.id}
            row={row}
            isSelected={selectedIds.includes(row.id)}
            isFull={isFull}
            showsScore={order === 'output_score'}
            onAdd={() => onAdd(row)}
          />
        ))}
        {rows.length === 0 && !found.error && (
          <li className="p-4 text-sm text-slate-400">
            {found.isLoading ? (
              <SkeletonList label="Searching" count={3} className="mb-2 h-8" />
            ) : (
              emptyText(trainingId, search)
            )}
          </li>
        )}
      </ul>
    </div>
  );
}

function emptyText(trainingId: string | null, search: string): string {
  if (!trainingId) return 'Choose a training whose features are to be used.';
  if (search) return `No feature matches “${search}”.`;
  return 'This training has no features yet: extract them in the Features tab.';
}

interface FoundFeatureProps {
  row: FeatureRow;
  isSelected: boolean;
  isFull: boolean;
  showsScore: boolean;
  onAdd: () => void;
}

function FoundFeature({ row, isSelected, isFull, showsScore, onAdd }: FoundFeatureProps) {
  return (
    <li className="flex items-center gap-3 px-3 py-2 text-sm">
      <span className="w-12 shrink-0 font-mono text-slate-400">#{row.neuron_index}</span>
      <span className="min-w-0 flex-1 truncate" title={row.name ?? undefined}>
        {row.name ?? <span className="text-slate-400 italic">No label</span>}
      </span>
      <span className="shrink-0 text-xs text-slate-400 tabular-nums max-[28rem]:hidden">
        {showsScore
          ? `steers ${formatDecimal(row.output_score, 3)}`
          : `max ${formatDecimal(row.max_activation, 1)}`}
      </span>
      <Button
        size="sm"
        icon={isSelected ? Check : Plus}
        disabled={isSelected || isFull}
        aria-label={`Add feature ${row.neuron_index}`}
        title={isFull && !isSelected ? 'Sixteen features at most' : undefined}
        onClick={onAdd}
      >
        {isSelected ? 'Added' : 'Add'}
      </Button>
    </li>
  );
}
