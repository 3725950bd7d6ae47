import { Gauge } from 'lucide-react';
import { Button } from '@/components/common/Button';
import { ErrorBox } from '@/components/common/ErrorBox';
import { JobProgress } from '@/components/common/JobProgress';
import { useAction } from '@/hooks/useAction';
import { useLatestJob } from '@/hooks/useJobs';
import { featureService } from '@/services/featureService';
import { useJobStore } from '@/stores/jobStore';
import { toast } from '@/stores/uiStore';
import { isLiveJob, jobProblem } from '@/utils/jobs';

/** Starts the measurement of which features steer and which read. */
export function ScoreButton({ trainingId }: { trainingId: string }) {
  const job = useLatestJob('feature_score', trainingId);
  const start = useAction(async () => {
    try {
      await featureService.score(trainingId);
      await useJobStore.getState().fetch();
    } catch (failure) {
      toast('error', failure instanceof Error ? failure.message : 'Not started');
    }
  });
  return (
    <Button
      icon={Gauge}
      title="Measure which features steer the model and which read its text"
      busy={start.isBusy}
      disabled={start.isBusy || isLiveJob(job)}
      onClick={() => void start.run()}
    >
      Score Features
    </Button>
  );
}

/** How far the scoring is, or why it failed. */
export function ScoreProgress({ trainingId }: { trainingId: string }) {
  const job = useLatestJob('feature_score', trainingId);
  if (isLiveJob(job)) {
    return (
      <JobProgress
        label="Measuring which features steer and which read…"
        job={job}
        onCancel={() => void useJobStore.getState().cancel(job.id)}
      />
    );
  }
  const problem = jobProblem(job);
  return problem && <ErrorBox problem={problem} />;
}
