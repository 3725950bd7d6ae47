import { ChevronDown, ChevronUp, GitCompare, Save } from 'lucide-react';
import { useState } from 'react';
import { Button } from '@/components/common/Button';
import { ErrorBox } from '@/components/common/ErrorBox';
import { JobProgress } from '@/components/common/JobProgress';
import { ProgressBar } from '@/components/common/ProgressBar';
import { useExport } from '@/hooks/useExport';
import { useTrainingRoom } from '@/hooks/useTraining';
import type { Training } from '@/types/training.types';
import { formatInteger, formatPercent } from '@/utils/format';
import { isLiveJob, jobLabel, jobProblem } from '@/utils/jobs';
import { CheckpointManager } from './CheckpointManager';
import { toggleRun } from './compare/comparedRuns';
import { ExportButton } from './ExportButton';
import { FocusedCard } from './FocusedCard';
import { TrainingCardHeader } from './TrainingCardHeader';
import { TrainingControls } from './TrainingControls';
import { TrainingEvaluation } from './TrainingEvaluation';
import { TrainingMetrics } from './TrainingMetrics';
import { TrainingTiles } from './TrainingTiles';

interface TrainingCardProps {
  training: Training;
  /** Scrolled into sight with its metrics open, after it was started or linked. */
  isFocused: boolean;
  /** Put aside for comparison with others. */
  isCompared: boolean;
}

/** One training: progress, figures, curves, checkpoints, and what can be done with it. */
export function TrainingCard({ training, isFocused, isCompared }: TrainingCardProps) {
  useTrainingRoom(training);
  const exporting = useExport(training.id);
  const [chosen, setChosen] = useState<{ metrics?: boolean; checkpoints?: boolean }>({});
  const open = { metrics: isFocused, checkpoints: false, ...chosen };
  const toggle = (part: keyof typeof open) => setChosen({ ...chosen, [part]: !open[part] });

  const failure =
    training.status === 'error'
      ? (jobProblem(training.job) ?? { message: training.error_message ?? 'The training failed.' })
      : null;

  return (
    <FocusedCard name={training.name} isFocused={isFocused}>
      <TrainingCardHeader training={training} />
      <Progress training={training} />
      {failure && <ErrorBox problem={failure} />}
      <TrainingTiles training={training} />
      {training.evaluation && <TrainingEvaluation evaluation={training.evaluation} />}
      <div className="flex flex-wrap gap-2">
        <Button
          icon={open.metrics ? ChevronUp : ChevronDown}
          aria-expanded={open.metrics}
          onClick={() => toggle('metrics')}
        >
          {open.metrics ? 'Hide' : 'Show'}{' '}
          {training.status === 'training' ? 'Live Metrics' : 'Metrics'}
        </Button>
        <Button icon={Save} aria-expanded={open.checkpoints} onClick={() => toggle('checkpoints')}>
          Checkpoints ({training.n_checkpoints})
        </Button>
        <Button
          icon={GitCompare}
          aria-pressed={isCompared}
          className={isCompared ? 'text-emerald-400' : ''}
          onClick={() => toggleRun(training.id)}
        >
          Compare
        </Button>
        {training.n_checkpoints > 0 && <ExportButton exporting={exporting} />}
      </div>
      {exporting.problem && <ErrorBox problem={exporting.problem} />}
      {open.metrics && <TrainingMetrics training={training} />}
      {open.checkpoints && <CheckpointManager training={training} />}
      <TrainingControls training={training} />
    </FocusedCard>
  );
}

function Progress({ training }: { training: Training }) {
  const { job } = training;
  if (isLiveJob(job) && training.status !== 'training') {
    return <JobProgress label={jobLabel(job.kind)} job={job} />;
  }
  const isRunning = isLiveJob(job) && (job.kind === 'training_run' || job.kind === 'training_grid');
  if (isRunning) {
    return <JobProgress label="Training Progress" job={{ ...job, progress: training.progress }} />;
  }
  if (training.status === 'completed') return null;
  return (
    <div className="space-y-2">
      <div className="flex justify-between text-sm text-slate-300 tabular-nums">
        <span>
          Step {formatInteger(training.current_step)} of {formatInteger(training.total_steps)}
        </span>
        <span>{formatPercent(training.progress)}</span>
      </div>
      <ProgressBar
        label={`Progress of ${training.name}`}
        value={training.progress}
        tone={training.status === 'paused' ? 'yellow' : 'emerald'}
      />
    </div>
  );
}
