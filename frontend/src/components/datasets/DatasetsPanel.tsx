import { Database } from 'lucide-react';
import { PageTitle } from '@/components/common/Card';
import { EmptyState } from '@/components/common/EmptyState';
import { ErrorBox } from '@/components/common/ErrorBox';
import { SkeletonList } from '@/components/common/Skeleton';
import { useDatasets } from '@/hooks/useDatasets';
import { useUrlState } from '@/hooks/useUrlState';
import type { Dataset } from '@/types/dataset.types';
import { AddDataset } from './AddDataset';
import { DatasetCard } from './DatasetCard';
import { DatasetDetailModal } from './DatasetDetailModal';

/** The Datasets tab: add text, see what there is, open one. */
export function DatasetsPanel() {
  const { items, problem, fetch } = useDatasets();
  const [openId, setOpenId] = useUrlState('dataset');
  const open = items?.find((item) => item.id === openId && item.status === 'ready');

  return (
    <>
      <PageTitle
        title="Datasets"
        subtitle="Text that the language model reads while you watch it."
      />
      <AddDataset />
      <section aria-labelledby="datasets-heading" className="mt-8">
        <h3 id="datasets-heading" className="mb-4 text-lg font-semibold">
          Your Datasets{items && ` (${items.length})`}
        </h3>
        {problem && (
          <div className="mb-4">
            <ErrorBox
              problem={problem}
              action={{ label: 'Try again', onClick: () => void fetch() }}
            />
          </div>
        )}
        <DatasetList items={items} hasProblem={problem !== null} onOpen={setOpenId} />
      </section>
      {open && <DatasetDetailModal dataset={open} />}
    </>
  );
}

interface DatasetListProps {
  items: readonly Dataset[] | null;
  hasProblem: boolean;
  onOpen: (id: string) => void;
}

function DatasetList({ items, hasProblem, onOpen }: DatasetListProps) {
  if (!items) {
    return hasProblem ? null : (
      <div className="grid gap-4 lg:grid-cols-2">
        <SkeletonList label="Loading datasets" count={4} className="h-36" />
      </div>
    );
  }
  if (items.length === 0) {
    return (
      <EmptyState
        icon={Database}
        title="No datasets yet"
        hint="The documentation of this machine's Python packages needs no download: choose “Built-in corpus” above."
      />
    );
  }
  return (
    <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-2">
      {items.map((dataset) => (
        <DatasetCard key={dataset.id} dataset={dataset} onOpen={() => onOpen(dataset.id)} />
      ))}
    </div>
  );
}
