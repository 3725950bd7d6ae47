import type { Schemas } from './api.types';

export type Training = Schemas['TrainingRead'];
export type TrainingStatus = Schemas['TrainingStatus'];
export type TrainingCreate = Schemas['TrainingCreate'];
export type TrainingCreated = Schemas['TrainingCreated'];
export type GridVariant = Schemas['GridVariant'];
export type TrainingGridCreate = Schemas['TrainingGridCreate'];
export type TrainingGridCreated = Schemas['TrainingGridCreated'];
export type TrainingEvaluation = Schemas['TrainingEvaluation'];
export type MeasuredFigure = Schemas['MeasuredFigure'];
export type Hyperparameters = Schemas['Hyperparameters'];
export type MetricPoint = Schemas['MetricPoint'];
export type Checkpoint = Schemas['CheckpointRead'];
export type EncoderType = Schemas['EncoderType'];
