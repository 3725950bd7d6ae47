import { ConfirmButton } from '@/components/common/ConfirmButton';
import { ErrorBox } from '@/components/common/ErrorBox';
import { StatusBadge } from '@/components/common/StatusBadge';
import { StatusIcon } from '@/components/common/StatusIcon';
import { useAction } from '@/hooks/useAction';
import { useTrainingStore } from '@/stores/trainingStore';
import type { Training } from '@/types/training.types';
import { formatInteger, formatTime, humanize } from '@/utils/format';
import { datasetName } from '@/utils/trainings';
import { keepsK } from './hyperparameterFields';

const ENCODERS = {
  sparse: 'Sparse Autoencoder',
  skip: 'Skip Autoencoder',
  transcoder: 'Transcoder',
} as const;

function facts(training: Training): string {
  const { activation, k } = training.hyperparameters;
  const name = humanize(String(activation));
  const kind = keepsK({ encoderType: training.encoder_type, values: training.hyperparameters })
    ? `${name} ${String(k)}`
    : name;
  return [
    // Those that share a run differ in what their names say.
    ...(training.shares_run ? [training.name] : []),
    `${ENCODERS[training.encoder_type]} (${kind}, ${formatInteger(training.n_latents)} latents)`,
    `Layer ${training.layer} ${training.hook_type}`,
    training.started_at ? `Started ${formatTime(training.started_at)}` : 'Not started yet',
  ].join(' · ');
}

/** Which training it is and how it stands. */
export function TrainingCardHeader({ training }: { training: Training }) {
  const remove = useAction(useTrainingStore.getState().remove);
  const queued = training.job?.state === 'queued' ? 'Queued' : undefined;
  return (
    <>
      <div className="flex flex-wrap items-start justify-between gap-4">
        <div className="min-w-0">
          <h4 className="truncate font-semibold">
            {training.model_name} + {datasetName(training)}
          </h4>
          <p className="mt-1 text-sm text-slate-400">{facts(training)}</p>
        </div>
        <div className="flex shrink-0 items-center gap-2">
          <StatusIcon status={training.status} />
          <StatusBadge status={training.status} label={queued} />
          <ConfirmButton
            label={`Delete training ${training.name}`}
            disabled={remove.isBusy}
            onConfirm={() => void remove.run(training.id)}
          />
        </div>
      </div>
      {remove.error && <ErrorBox problem={remove.error} />}
    </>
  );
}
