import { RotateCcw } from 'lucide-react';
import { Button } from '@/components/common/Button';
import { ErrorBox } from '@/components/common/ErrorBox';
import { JobProgress } from '@/components/common/JobProgress';
import { useAction } from '@/hooks/useAction';
import { useExport } from '@/hooks/useExport';
import { jobService } from '@/services/jobService';
import { useJobStore } from '@/stores/jobStore';
import { useTrainingStore } from '@/stores/trainingStore';
import type { Training } from '@/types/training.types';
import { isLiveJob, jobLabel, jobProblem } from '@/utils/jobs';
import { ExportButton } from './ExportButton';
import { FeaturesButton } from './FeaturesButton';
import { FocusedCard } from './FocusedCard';
import { ImportProof } from './ImportProof';
import { TrainingCardHeader } from './TrainingCardHeader';
import { TrainingEvaluation } from './TrainingEvaluation';

interface ImportedCardProps {
  training: Training;
  /** Scrolled into sight, after it was imported or linked. */
  isFocused: boolean;
}

/** A dictionary that others trained: where it comes from, that it is the same one, what it is good for. */
export function ImportedCard({ training, isFocused }: ImportedCardProps) {
  const exporting = useExport(training.id);
  const cancel = useAction(useJobStore.getState().cancel);
  const retry = useAction(async (jobId: string) => {
    await jobService.retry(jobId);
    await useTrainingStore.getState().refresh(training.id);
  });
  const { job, status } = training;
  const isReady = status === 'completed';
  const failure =
    status === 'error'
      ? (jobProblem(job) ?? { message: training.error_message ?? 'The import failed.' })
      : null;
  const problem = cancel.error ?? retry.error ?? exporting.problem ?? failure;

  return (
    <FocusedCard name={training.name} isFocused={isFocused}>
      <TrainingCardHeader training={training} />
      {isLiveJob(job) && (
        <JobProgress
          label={jobLabel(job.kind)}
          job={job}
          onCancel={() => void cancel.run(job.id)}
        />
      )}
      {problem && <ErrorBox problem={problem} />}
      {isReady && <ImportProof training={training} />}
      {training.evaluation && <TrainingEvaluation evaluation={training.evaluation} />}
      <div className="flex flex-wrap gap-2 empty:hidden">
        {isReady && <FeaturesButton training={training} />}
        {isReady && <ExportButton exporting={exporting} />}
        {status === 'error' && job && (
          <Button
            variant="retry"
            icon={RotateCcw}
            busy={retry.isBusy}
            onClick={() => void retry.run(job.id)}
          >
            Import Again
          </Button>
        )}
      </div>
    </FocusedCard>
  );
}
