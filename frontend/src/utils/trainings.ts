import type { Training, TrainingStatus } from '@/types/training.types';
import { formatDateTime } from './format';

const ANALYSABLE: ReadonlySet<TrainingStatus> = new Set(['completed', 'stopped', 'paused']);

/** Whether features can be read out of it: it rests and has a checkpoint. */
export function isAnalysable(training: Training): boolean {
  return ANALYSABLE.has(training.status) && training.n_checkpoints > 0;
}

/** Name of the text that it was trained on; an imported dictionary may know none. */
export function datasetName(training: Training): string {
  return training.dataset_name ?? 'imported';
}

/** Encoder, model, dataset and date, as a select shows them. */
export function trainingLabel(training: Training): string {
  const encoder = { sparse: 'SAE', skip: 'Skip SAE', transcoder: 'Transcoder' }[
    training.encoder_type
  ];
  const date = formatDateTime(training.completed_at ?? training.created_at);
  return `${training.name} · ${encoder} · ${training.model_name} · ${datasetName(training)} · ${date}`;
}
