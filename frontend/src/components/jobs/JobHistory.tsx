import { History } from 'lucide-react';
import { EmptyState } from '@/components/common/EmptyState';
import { ErrorBox } from '@/components/common/ErrorBox';
import { Pager } from '@/components/common/Pager';
import { Segmented } from '@/components/common/Segmented';
import { SkeletonList } from '@/components/common/Skeleton';
import { useJobHistory } from '@/hooks/useJobs';
import { useUrlChoice, useUrlState } from '@/hooks/useUrlState';
import type { Job } from '@/types/job.types';
import { humanize } from '@/utils/format';
import { navigate } from '@/utils/urlState';
import { JobRow } from './JobRow';
import { HISTORY_FILTERS, type HistoryFilter, statesOf } from './jobRows';

const FILTERS = HISTORY_FILTERS.map((value) => ({ value, label: humanize(value) }));

interface JobHistoryProps {
  /** What a job worked on; null where that is not known. */
  subjectOf: (job: Job) => string | null;
}

/** Jobs that ended, newest first, by how they ended. */
export function JobHistory({ subjectOf }: JobHistoryProps) {
  const [filter] = useUrlChoice<HistoryFilter>('jobs', HISTORY_FILTERS);
  const [pageText, setPage] = useUrlState('jpage', 'replace');
  const [openId, setOpenId] = useUrlState('job', 'replace');
  const page = Math.max(1, Number(pageText) || 1);
  const { data, error, again, isLoading } = useJobHistory(statesOf(filter), page);

  return (
    <section aria-labelledby="job-history" className="space-y-4">
      <div className="flex flex-wrap items-center justify-between gap-4">
        <h3 id="job-history" className="text-lg font-semibold">
          Ended
        </h3>
        <Segmented
          label="How the jobs ended"
          options={FILTERS}
          value={filter}
          onChange={(value) =>
            navigate({ jobs: value === 'all' ? null : value, jpage: null }, 'replace')
          }
        />
      </div>
      {error && <ErrorBox problem={error} action={{ label: 'Try again', onClick: again }} />}
      {!data && !error && (
        <div className="space-y-1">
          <SkeletonList label="Loading ended jobs" count={6} className="h-14" />
        </div>
      )}
      {data?.items.length === 0 && (
        <EmptyState
          icon={History}
          title={filter === 'all' ? 'No job has ended yet' : 'None ended like this'}
        />
      )}
      {data && data.items.length > 0 && (
        <>
          <ul
            aria-busy={isLoading}
            className="divide-y divide-slate-800 rounded-lg border border-slate-800"
          >
            {data.items.map((job) => (
              <JobRow
                key={job.id}
                job={job}
                subject={subjectOf(job)}
                isOpen={job.id === openId}
                onToggle={() => setOpenId(job.id === openId ? null : job.id)}
              />
            ))}
          </ul>
          <Pager
            pagination={data.pagination}
            noun="jobs"
            onPage={(next) => setPage(next === 1 ? null : next)}
          />
        </>
      )}
    </section>
  );
}
