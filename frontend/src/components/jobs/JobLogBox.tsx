import { useEffect, useRef } from 'react';
import { CopyButton } from '@/components/common/CopyButton';
import { ErrorBox } from '@/components/common/ErrorBox';
import { Skeleton } from '@/components/common/Skeleton';
import { useRequest } from '@/hooks/useRequest';
import { jobService } from '@/services/jobService';
import type { Job } from '@/types/job.types';
import { formatBytes } from '@/utils/format';

/** What a job's processes wrote, its end first in sight; read again when the job moves on. */
export function JobLogBox({ job }: { job: Pick<Job, 'id' | 'seq'> }) {
  const { data, error, again } = useRequest(`${job.id}/${job.seq}`, (signal) =>
    jobService.log(job.id, signal),
  );
  const box = useRef<HTMLPreElement>(null);
  useEffect(() => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [data]);

  if (error) return <ErrorBox problem={error} action={{ label: 'Try again', onClick: again }} />;
  if (!data) return <Skeleton className="h-40" />;
  if (data.lines.length === 0) return <p className="text-slate-400">It has written nothing.</p>;
  const text = data.lines.join('\n');
  return (
    <section aria-label="Log" className="rounded-lg border border-slate-800 bg-black">
      <header className="flex items-center justify-between px-4 py-1 text-xs text-slate-400">
        <span>
          {data.truncated
            ? `The end of ${formatBytes(data.size_bytes)}`
            : formatBytes(data.size_bytes)}
        </span>
        <CopyButton label="Copy log" text={text} />
      </header>
      <pre
        ref={box}
        tabIndex={0}
        aria-label="Log lines"
        className="h-40 overflow-auto px-4 pb-3 font-mono text-xs leading-5 text-slate-300"
      >
        {text}
      </pre>
    </section>
  );
}
