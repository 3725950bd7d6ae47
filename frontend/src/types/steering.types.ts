import type { Schemas } from './api.types';

export type SteeringGenerate = Schemas['SteeringGenerate'];
export type SteeringResult = Schemas['SteeringResult'];
export type SteeredFeature = Schemas['SteeredFeature'];
export type SteeringMetric = Schemas['SteeringMetric'];
export type GeneratedText = Schemas['GeneratedText'];
export type GeneratedToken = Schemas['GeneratedToken'];
export type CoefficientUnit = NonNullable<SteeredFeature['unit']>;
export type SteeringMethod = NonNullable<SteeredFeature['method']>;
export type DiffPart = Schemas['DiffPart'];
