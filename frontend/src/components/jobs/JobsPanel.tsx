import { ListChecks } from 'lucide-react';
import { Card, PageTitle } from '@/components/common/Card';
import { EmptyState } from '@/components/common/EmptyState';
import { ErrorBox } from '@/components/common/ErrorBox';
import { SkeletonList } from '@/components/common/Skeleton';
import { useJobs } from '@/hooks/useJobs';
import { useJobSubjects } from '@/hooks/useJobSubjects';
import { JobHistory } from './JobHistory';
import { LiveJob } from './LiveJob';
import { byQueue } from './jobRows';

/** The queue: what runs, what waits for which worker, and how earlier jobs ended. */
export function JobsPanel() {
  const { live, isLoading, problem, refetch } = useJobs();
  const subjectOf = useJobSubjects();
  return (
    <>
      <PageTitle title="Jobs" subtitle="What this machine works on, waits for and has done." />
      <div className="space-y-8">
        {problem && (
          <ErrorBox problem={problem} action={{ label: 'Try again', onClick: refetch }} />
        )}
        <section aria-labelledby="live-jobs" className="space-y-4">
          <h3 id="live-jobs" className="text-lg font-semibold">
            Running and waiting{!isLoading && !problem && ` (${live.length})`}
          </h3>
          {isLoading && <SkeletonList label="Loading jobs" count={1} className="h-28" />}
          {!isLoading && !problem && live.length === 0 && (
            <EmptyState
              icon={ListChecks}
              title="Nothing is running"
              hint="Downloads, extractions, trainings and discoveries appear here as soon as they are started."
            />
          )}
          {byQueue(live).map(({ queue, jobs }) => (
            <Card key={queue} label={`Queue ${queue}`} className="space-y-5">
              <h4 className="text-sm font-medium text-slate-400 capitalize">{queue}</h4>
              <ul className="space-y-6">
                {jobs.map((job, index) => (
                  <LiveJob key={job.id} job={job} subject={subjectOf(job)} ahead={index} />
                ))}
              </ul>
            </Card>
          ))}
        </section>
        <JobHistory subjectOf={subjectOf} />
      </div>
    </>
  );
}
