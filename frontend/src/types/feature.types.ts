import type { Schemas } from './api.types';

export type Feature = Schemas['FeatureRead'];
export type FeatureRow = Schemas['FeatureRow'];
export type FeatureExample = Schemas['FeatureExample'];
export type FeatureLabelling = Schemas['FeatureLabelling'];
export type LabelWriter = Schemas['LabelWriter'];
export type FeatureExtract = Schemas['FeatureExtract'];
export type FeaturePatch = Schemas['FeaturePatch'];
export type FeatureChange = Schemas['FeatureChange'];
export type ExampleKind = FeatureExample['kind'];
export type Interval = Schemas['Interval'];
export type LogitLens = Schemas['LogitLens'];
export type LensToken = Schemas['LensToken'];
export type SearchMatch = Schemas['SearchMatch'];
export type RelatedFeature = Schemas['RelatedFeature'];
export type Correlations = Schemas['Correlations'];
export type Neighbours = Schemas['Neighbours'];
export type Ablation = Schemas['Ablation'];
export type AblatedContext = Schemas['AblatedContext'];
export type PackedMap = Schemas['PackedMap'];
export type FeatureProbe = Schemas['FeatureProbe'];
export type ProbeLine = Schemas['ProbeLine'];
export type ProbeResult = Schemas['ProbeResult'];
export type ProbedFeature = Schemas['ProbedFeature'];
export type ClassScores = Schemas['ClassScores'];
export type ClassFigure = Schemas['ClassFigure'];
export type FeatureExport = Schemas['FeatureExportRead'];
export type FeatureExportCreate = Schemas['FeatureExportCreate'];
export type FeatureScoring = Schemas['FeatureScoring'];

/** All features of a training as columns in the order of the latents; NaN for what is missing. */
export interface FeatureMap {
  layout: string | null;
  nClusters: number;
  ids: Float64Array;
  neuronIndex: Int32Array;
  x: Float32Array;
  y: Float32Array;
  /** -1 for none. */
  cluster: Int32Array;
  frequency: Float32Array;
  largest: Float32Array;
  nameAt: (place: number) => string | null;
  /** Two ids and the cosine of their decoder directions, closest first. */
  duplicates: PackedMap['duplicates'];
}
