import type { Schemas } from './api.types';

export type SteeringGenerate = Schemas['SteeringGenerate'];
export type SteeringResult = Schemas['SteeringResult'];
export type SteeredFeature = Schemas['SteeredFeature'];
export type SteeringMetric = Schemas['SteeringMetric'];
export type GeneratedText = Schemas['GeneratedText'];
export type GeneratedToken = Schemas['GeneratedToken'];
export type CoefficientUnit = NonNullable<SteeredFeature['unit']>;
export type SteeringMethod = NonNullable<SteeredFeature['method']>;
export type HookType = NonNullable<SteeredFeature['hook_type']>;
export type DiffPart = Schemas['DiffPart'];
export type ResolvedFeature = Schemas['ResolvedFeature'];
export type ConditionOutcome = Schemas['ConditionOutcome'];
export type ReconstructionBaseline = Schemas['ReconstructionBaseline'];
export type PromptToken = Schemas['PromptToken'];

export type Preset = Schemas['PresetRead'];
export type PresetWrite = Schemas['PresetWrite'];

export type SavedRun = Schemas['SteeringRunRow'];
export type SavedRunDetail = Schemas['SteeringRunRead'];
export type Replay = Schemas['SteeringReplay'];
export type ExportFormat = 'json' | 'safetensors' | 'gguf' | 'python';

export type SweepRequest = Schemas['SweepRequest'];
export type SweepListed = Schemas['SweepListed'];
export type Sweep = Schemas['SweepRead'];
export type SweepTable = Schemas['SweepTable'];
export type SweptFeature = Schemas['SweptFeature'];
export type SweepRow = Schemas['SweepRow'];
export type SweepFigures = Schemas['SweepFigures'];
export type SweepControl = Schemas['SweepControl'];
export type SweepCriterion = NonNullable<SweepRequest['select_by']>;
export type ControlName = SweepControl['name'];
