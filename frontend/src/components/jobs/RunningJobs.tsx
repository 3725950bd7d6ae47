import { Activity } from 'lucide-react';
import { useEffect, useId, useRef, useState } from 'react';
import { useShallow } from 'zustand/react/shallow';
import { Button } from '@/components/common/Button';
import { JobProgress } from '@/components/common/JobProgress';
import { toApiError } from '@/services/api';
import { selectLiveJobs, useJobStore } from '@/stores/jobStore';
import { toast } from '@/stores/uiStore';
import { jobLabel } from '@/utils/jobs';
import { navigate } from '@/utils/urlState';

/** The header's button with the number of running jobs and a panel with their progress. */
export function RunningJobs() {
  const jobs = useJobStore(useShallow(selectLiveJobs));
  const cancel = useJobStore((state) => state.cancel);
  const [isOpen, setIsOpen] = useState(false);
  const id = useId();
  const box = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (!isOpen) return undefined;
    const handlePointerDown = (event: PointerEvent) => {
      if (event.target instanceof Node && !box.current?.contains(event.target)) setIsOpen(false);
    };
    // On the document: after Cancel its button is gone, and the focus with it.
    const handleKeyDown = (event: KeyboardEvent) => {
      if (event.key === 'Escape') setIsOpen(false);
    };
    document.addEventListener('pointerdown', handlePointerDown);
    document.addEventListener('keydown', handleKeyDown);
    return () => {
      document.removeEventListener('pointerdown', handlePointerDown);
      document.removeEventListener('keydown', handleKeyDown);
    };
  }, [isOpen]);

  const handleCancel = (jobId: string) => {
    cancel(jobId).catch((error: unknown) => toast('error', toApiError(error).message));
  };

  return (
    <div ref={box} className="relative">
      <button
        type="button"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setIsOpen(!isOpen)}
        className="flex items-center gap-2 rounded-lg px-3 py-1.5 text-sm whitespace-nowrap text-slate-300 transition-colors hover:bg-slate-800"
      >
        <Activity
          aria-hidden
          className={jobs.length ? 'size-4 animate-pulse text-emerald-400' : 'size-4'}
        />
        {jobs.length === 0 ? 'No jobs' : `${jobs.length} running`}
      </button>
      <div
        id={id}
        hidden={!isOpen}
        role="region"
        aria-label="Running jobs"
        className="absolute right-0 z-40 mt-2 max-h-[70vh] w-96 max-sm:fixed max-sm:inset-x-3 max-sm:top-14 max-sm:w-auto overflow-y-auto rounded-lg border border-slate-700 bg-slate-900 p-4 shadow-2xl"
      >
        {jobs.length === 0 && <p className="text-sm text-slate-400">Nothing is running.</p>}
        <ul className="space-y-4">
          {jobs.map((job) => (
            <li key={job.id}>
              <JobProgress
                label={job.prompt ? `${jobLabel(job.kind)} “${job.prompt}”` : jobLabel(job.kind)}
                job={job}
                onCancel={() => handleCancel(job.id)}
              />
            </li>
          ))}
        </ul>
        <Button
          size="sm"
          block
          className="mt-4"
          onClick={() => {
            setIsOpen(false);
            navigate({ tab: 'jobs' });
          }}
        >
          All jobs
        </Button>
      </div>
    </div>
  );
}
