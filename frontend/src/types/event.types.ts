import type { Schemas } from './api.types';

export type JobUpdated = Schemas['JobUpdated'];
export type TrainingProgress = Schemas['TrainingProgress'];
export type TrainingCompleted = Schemas['TrainingCompleted'];
export type TrainingError = Schemas['TrainingError'];
export type ExtractionProgress = Schemas['ExtractionProgress'];
export type SteeringTokens = Schemas['SteeringTokens'];
export type SteeringStarted = Schemas['SteeringStarted'];

/** Every event by its name; the name is also the `type` field of the payload. */
export interface Events {
  'job.updated': JobUpdated;
  'training.progress': TrainingProgress;
  'training.completed': TrainingCompleted;
  'training.error': TrainingError;
  'extraction.progress': ExtractionProgress;
  'steering.tokens': SteeringTokens;
  'steering.started': SteeringStarted;
}

export type EventName = keyof Events;
