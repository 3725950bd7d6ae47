import { ConfirmButton } from '@/components/common/ConfirmButton';
import { ErrorBox } from '@/components/common/ErrorBox';
import { StatusBadge } from '@/components/common/StatusBadge';
import { StatusIcon } from '@/components/common/StatusIcon';
import { useAction } from '@/hooks/useAction';
import { useTrainingStore } from '@/stores/trainingStore';
import type { Training } from '@/types/training.types';
import { formatInteger, formatTime, humanize } from '@/utils/format';
import { hookShortName } from '@/utils/hookNames';
import { datasetName } from '@/utils/trainings';
import { keepsK } from './hyperparameterFields';

const ENCODERS = {
  sparse: 'Sparse Autoencoder',
  skip: 'Skip Autoencoder',
  transcoder: 'Transcoder',
} as const;

/** What kind of dictionary it is, and where in the model. */
function shape(training: Training): string[] {
  const { activation, k } = training.hyperparameters;
  const name = humanize(String(activation));
  const kind = keepsK({ encoderType: training.encoder_type, values: training.hyperparameters })
    ? `${name} ${String(k)}`
    : name;
  return [
    `${ENCODERS[training.encoder_type]} (${kind}, ${formatInteger(training.n_latents)} latents)`,
    `Layer ${training.layer} ${hookShortName(training.hook_type)}`,
  ];
}

function facts(training: Training): string {
  return [
    // Those that share a run differ in what their names say.
    ...(training.shares_run ? [training.name] : []),
    ...shape(training),
    training.started_at ? `Started ${formatTime(training.started_at)}` : 'Not started yet',
  ].join(' · ');
}

/** An import knows what it is once its files were read. */
function importedFacts(training: Training): string {
  const isRead = training.n_checkpoints > 0;
  return ['Imported', training.model_name, ...(isRead ? shape(training) : [])].join(' · ');
}

/** Which training it is and how it stands. */
export function TrainingCardHeader({ training }: { training: Training }) {
  const remove = useAction(useTrainingStore.getState().remove);
  const isImported = training.source === 'imported';
  const queued = training.job?.state === 'queued' ? 'Queued' : undefined;
  return (
    <>
      <div className="flex flex-wrap items-start justify-between gap-4">
        <div className="min-w-0">
          <h4 className="truncate font-semibold">
            {isImported ? training.name : `${training.model_name} + ${datasetName(training)}`}
          </h4>
          <p className="mt-1 text-sm text-slate-400">
            {isImported ? importedFacts(training) : facts(training)}
          </p>
        </div>
        <div className="flex shrink-0 items-center gap-2">
          <StatusIcon status={training.status} />
          <StatusBadge status={training.status} label={queued} />
          <ConfirmButton
            label={`Delete ${isImported ? 'dictionary' : 'training'} ${training.name}`}
            disabled={remove.isBusy}
            onConfirm={() => void remove.run(training.id)}
          />
        </div>
      </div>
      {remove.error && <ErrorBox problem={remove.error} />}
    </>
  );
}
