import { SearchCheck, Upload } from 'lucide-react';
import { useState } from 'react';
import { Button } from '@/components/common/Button';
import { Dropzone } from '@/components/common/Dropzone';
import { ErrorBox } from '@/components/common/ErrorBox';
import { JobProgress } from '@/components/common/JobProgress';
import { ProgressBar } from '@/components/common/ProgressBar';
import { Toggle } from '@/components/common/Toggle';
import { useAction } from '@/hooks/useAction';
import { useLatestJob } from '@/hooks/useJobs';
import { featureExchange } from '@/services/featureExchange';
import { useJobStore } from '@/stores/jobStore';
import { isLiveJob, jobProblem } from '@/utils/jobs';
import { ImportReport } from './ImportReport';

/** Sends an archive; a job then says what it would change, or reads it into the features. */
export function ImportForm({ trainingId }: { trainingId: string }) {
  const [file, setFile] = useState<File | null>(null);
  const [anyDictionary, setAnyDictionary] = useState(false);
  const [sent, setSent] = useState<number | null>(null);
  const [ours, setOurs] = useState<string | null>(null);
  const upload = useAction(async (chosen: File, dryRun: boolean) => {
    setSent(0);
    try {
      const what = { file: chosen, anyDictionary, dryRun };
      const { job_id: jobId } = await featureExchange.upload(trainingId, what, setSent);
      setOurs(jobId);
    } finally {
      setSent(null);
    }
    await useJobStore.getState().fetch();
  });
  const job = useLatestJob('feature_import', trainingId);
  const isRunning = isLiveJob(job);
  const own = job?.id === ours ? job : undefined;
  const result = own?.state === 'succeeded' ? own.result : null;
  const problem = upload.error ?? jobProblem(own);
  const isWaiting = upload.isBusy || isRunning;
  const send = (dryRun: boolean) => {
    if (file) void upload.run(file, dryRun);
  };

  return (
    <div className="space-y-4">
      <Dropzone
        label="Choose an archive"
        hint="Parquet bundle, Neuronpedia folder or SAEDashboard batches"
        accept=".zip,.json"
        file={file}
        onFile={(chosen) => {
          setFile(chosen);
          setOurs(null);
        }}
      />
      <Toggle
        label="Even of another dictionary"
        help="Otherwise an archive measured on a dictionary with other directions is refused."
        checked={anyDictionary}
        onChange={setAnyDictionary}
      />
      {sent !== null && <ProgressBar label="Upload" value={sent} tone="purple" />}
      {isRunning && (
        <JobProgress
          label="Reading the archive…"
          job={job}
          tone="purple"
          onCancel={() => void useJobStore.getState().cancel(job.id)}
        />
      )}
      {problem && <ErrorBox problem={problem} />}
      {result && <ImportReport result={result} />}
      <div className="grid grid-cols-2 gap-3">
        <Button icon={SearchCheck} disabled={!file || isWaiting} onClick={() => send(true)}>
          Check First
        </Button>
        <Button
          variant="purple"
          icon={Upload}
          busy={upload.isBusy}
          disabled={!file || isWaiting}
          onClick={() => send(false)}
        >
          Import
        </Button>
      </div>
    </div>
  );
}
