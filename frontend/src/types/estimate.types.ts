import type { Schemas } from './api.types';

export type Estimate = Schemas['Estimate'];
export type ResourceNeed = Schemas['ResourceNeed'];
