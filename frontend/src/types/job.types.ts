import type { Schemas } from './api.types';

export type Job = Schemas['JobRead'];
export type JobSummary = Schemas['JobSummary'];
export type JobState = Schemas['JobState'];
export type JobKind = Schemas['JobKind'];
export type ResourceType = Schemas['ResourceType'];
export type JobLog = Schemas['JobLog'];
