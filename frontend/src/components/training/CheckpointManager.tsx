import { RotateCcw, Save } from 'lucide-react';
import { Button } from '@/components/common/Button';
import { ConfirmButton } from '@/components/common/ConfirmButton';
import { ErrorBox } from '@/components/common/ErrorBox';
import { Skeleton } from '@/components/common/Skeleton';
import { useAction } from '@/hooks/useAction';
import { useExport } from '@/hooks/useExport';
import { useRequest } from '@/hooks/useRequest';
import { trainingService } from '@/services/trainingService';
import { useTrainingStore } from '@/stores/trainingStore';
import { toast } from '@/stores/uiStore';
import type { Checkpoint, Training } from '@/types/training.types';
import { formatBytes, formatDateTime, formatDecimal, formatInteger } from '@/utils/format';
import { ExportButton } from './ExportButton';

/** Saved states of a training: save now, go back to one, hand one out, delete one. */
export function CheckpointManager({ training }: { training: Training }) {
  const { refresh } = useTrainingStore.getState();
  const key = `${training.id}/${training.n_checkpoints}/${training.status}`;
  const list = useRequest(key, () => trainingService.checkpoints(training.id));

  const save = useAction(async () => {
    await trainingService.saveCheckpoint(training.id);
    toast('info', 'The checkpoint is saved with the next step.');
  });
  const load = useAction(async (checkpoint: Checkpoint) => {
    await trainingService.loadCheckpoint(training.id, checkpoint.id);
    await refresh(training.id);
    toast(
      'success',
      `Back at step ${formatInteger(checkpoint.step)}; the training goes on from there.`,
    );
  });
  const remove = useAction(async (checkpoint: Checkpoint) => {
    await trainingService.removeCheckpoint(training.id, checkpoint.id);
    await refresh(training.id);
    list.again();
  });

  const exporting = useExport(training.id);
  const interval = Number(training.hyperparameters.checkpoint_every);
  const error = save.error ?? load.error ?? remove.error ?? list.error ?? exporting.problem;
  const isRunning = training.status === 'training';
  return (
    <section aria-label="Checkpoints" className="space-y-3 rounded-lg bg-slate-800/30 p-4">
      <div className="flex flex-wrap items-center justify-between gap-4">
        <div>
          <h5 className="text-sm font-medium text-slate-300">Checkpoints</h5>
          <p className="text-xs text-slate-400">
            {interval > 0
              ? `Saved by itself every ${formatInteger(interval)} steps.`
              : 'Saved by itself at the end only.'}
          </p>
        </div>
        <Button
          size="sm"
          icon={Save}
          busy={save.isBusy}
          disabled={!isRunning || save.isBusy}
          onClick={() => void save.run()}
        >
          Save Now
        </Button>
      </div>
      {error && <ErrorBox problem={error} />}
      {!list.data && !list.error && <Skeleton className="h-12" />}
      {list.data?.length === 0 && (
        <p className="text-sm text-slate-400">No checkpoint has been saved yet.</p>
      )}
      {list.data && list.data.length > 0 && (
        <ul className="max-h-48 space-y-2 overflow-y-auto" aria-busy={list.isLoading}>
          {list.data.map((checkpoint) => (
            <li
              key={checkpoint.id}
              className="flex items-center justify-between gap-4 rounded-lg bg-slate-800/50 px-4 py-2 text-sm"
            >
              <div className="min-w-0">
                <p className="font-medium">Step {formatInteger(checkpoint.step)}</p>
                <p className="truncate text-xs text-slate-400">
                  Loss {formatDecimal(checkpoint.loss, 4)} ·{' '}
                  {formatBytes(checkpoint.file_size_bytes)} ·{' '}
                  {formatDateTime(checkpoint.created_at)}
                </p>
              </div>
              <div className="flex shrink-0 gap-1">
                <Button
                  size="sm"
                  variant="ghost"
                  icon={RotateCcw}
                  aria-label={`Load step ${formatInteger(checkpoint.step)}`}
                  disabled={isRunning || load.isBusy}
                  title={isRunning ? 'Pause the training first' : undefined}
                  onClick={() => void load.run(checkpoint)}
                >
                  Load
                </Button>
                <ExportButton exporting={exporting} step={checkpoint.step} />
                <ConfirmButton
                  label={`Delete checkpoint of step ${formatInteger(checkpoint.step)}`}
                  disabled={remove.isBusy}
                  onConfirm={() => void remove.run(checkpoint)}
                />
              </div>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
