import { FileSearch } from 'lucide-react';
import { useDeferredValue } from 'react';
import { EmptyState } from '@/components/common/EmptyState';
import { ErrorBox } from '@/components/common/ErrorBox';
import { Pager } from '@/components/common/Pager';
import { SearchInput } from '@/components/common/SearchInput';
import { SkeletonList } from '@/components/common/Skeleton';
import { useDebounced } from '@/hooks/useDebounced';
import { useRequest } from '@/hooks/useRequest';
import { useUrlState } from '@/hooks/useUrlState';
import { datasetService } from '@/services/datasetService';
import type { Dataset } from '@/types/dataset.types';
import { navigate } from '@/utils/urlState';
import { SampleCard } from './SampleCard';

const LIMIT = 10;

/** The documents themselves, ten at a time, with a search. */
export function DatasetSamples({ dataset }: { dataset: Dataset }) {
  const [text] = useUrlState('sq', 'replace');
  const [pageText] = useUrlState('spage', 'replace');
  const search = text ?? '';
  const page = Math.max(1, Number(pageText) || 1);
  const go = (changes: { sq?: string; spage: number | null }) => navigate(changes, 'replace');
  const wanted = useDebounced(search.trim());
  const query = { page, limit: LIMIT, search: wanted || undefined };
  const key = `${dataset.id}/samples?${page}&${wanted}`;
  const { data, error, isLoading, again } = useRequest(key, (signal) =>
    datasetService.samples(dataset.id, query, signal),
  );
  const shown = useDeferredValue(data);

  return (
    <div className="space-y-4">
      <SearchInput
        label="Search samples"
        value={search}
        onChange={(value) => go({ sq: value, spage: null })}
      />
      {error && <ErrorBox problem={error} action={{ label: 'Try again', onClick: again }} />}
      {!shown && isLoading && (
        <div className="grid gap-3">
          <SkeletonList label="Loading samples" count={4} className="h-32" />
        </div>
      )}
      {shown?.items.length === 0 && (
        <EmptyState
          icon={FileSearch}
          title={`No document holds “${wanted}”`}
          hint="The search looks for the exact text, in upper or lower case."
        />
      )}
      {shown && shown.items.length > 0 && (
        <>
          <ul aria-busy={isLoading} className="space-y-3">
            {shown.items.map((sample) => (
              <SampleCard key={sample.index} sample={sample} source={dataset.name} />
            ))}
          </ul>
          <Pager
            pagination={shown.pagination}
            noun="samples"
            onPage={(next) => go({ spage: next === 1 ? null : next })}
          />
        </>
      )}
    </div>
  );
}
