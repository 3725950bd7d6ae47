import { Pause, Play, RotateCcw, Square } from 'lucide-react';
import { Button } from '@/components/common/Button';
import { ErrorBox } from '@/components/common/ErrorBox';
import { useAction } from '@/hooks/useAction';
import { trainingService, type TrainingAction } from '@/services/trainingService';
import { useTrainingStore } from '@/stores/trainingStore';
import type { Training } from '@/types/training.types';
import { navigate } from '@/utils/urlState';
import { FeaturesButton } from './FeaturesButton';

/** Starts a new training with the configuration of an old one and goes to its card. */
async function repeat(training: Training, datasetId: string): Promise<void> {
  const created = await trainingService.create({
    dataset_id: datasetId,
    model_id: training.model_id,
    activation_id: training.activation_id,
    layer: training.layer,
    hook_type: training.hook_type,
    encoder_type: training.encoder_type,
    hyperparameters: training.hyperparameters,
  });
  await useTrainingStore.getState().refresh(created.training_id);
  navigate({ tab: 'training', training: created.training_id });
}

/** The buttons that a training's state allows. */
export function TrainingControls({ training }: { training: Training }) {
  const { refresh } = useTrainingStore.getState();
  const act = useAction(async (action: TrainingAction) => {
    await trainingService.act(training.id, action);
    await refresh(training.id);
  });
  const retry = useAction(async () => {
    if (training.dataset_id !== null) await repeat(training, training.dataset_id);
  });
  const error = act.error ?? retry.error;
  const requested = training.job?.requested ?? null;
  const isBusy = act.isBusy || retry.isBusy || requested !== null;
  const { status } = training;
  const isOpen = status === 'training' || status === 'initializing';

  return (
    <div className="space-y-3">
      <div className="flex flex-wrap gap-2 empty:hidden">
        {isOpen && (
          <Button
            variant="pause"
            icon={Pause}
            disabled={isBusy}
            busy={requested === 'pause'}
            onClick={() => void act.run('pause')}
          >
            {requested === 'pause' ? 'Pausing…' : 'Pause'}
          </Button>
        )}
        {status === 'paused' && (
          <Button
            variant="primary"
            icon={Play}
            disabled={isBusy}
            onClick={() => void act.run('resume')}
          >
            Resume
          </Button>
        )}
        {(isOpen || status === 'paused') && (
          <Button
            variant="danger"
            icon={Square}
            disabled={isBusy}
            busy={requested === 'stop'}
            onClick={() => void act.run('stop')}
          >
            {requested === 'stop' ? 'Stopping…' : 'Stop'}
          </Button>
        )}
        {status === 'error' && (
          <Button
            variant="retry"
            icon={RotateCcw}
            disabled={isBusy}
            onClick={() => void act.run('resume')}
          >
            Retry from last checkpoint
          </Button>
        )}
        {status === 'stopped' && (
          <Button
            variant="retry"
            icon={RotateCcw}
            disabled={isBusy}
            onClick={() => void retry.run()}
          >
            Retry
          </Button>
        )}
        {(status === 'completed' || status === 'stopped') && <FeaturesButton training={training} />}
      </div>
      {error && <ErrorBox problem={error} />}
    </div>
  );
}
