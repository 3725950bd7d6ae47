import type { Schemas } from './api.types';

export type Feature = Schemas['FeatureRead'];
export type FeatureRow = Schemas['FeatureRow'];
export type FeatureExample = Schemas['FeatureExample'];
export type FeatureExtract = Schemas['FeatureExtract'];
export type FeaturePatch = Schemas['FeaturePatch'];
export type LogitLens = Schemas['LogitLens'];
export type LensToken = Schemas['LensToken'];
