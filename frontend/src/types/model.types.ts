import type { Schemas } from './api.types';

export type LanguageModel = Schemas['ModelRead'];
export type ModelStatus = Schemas['ModelStatus'];
export type ModelArchitecture = Schemas['ModelArchitecture'];
export type ModelDownload = Schemas['ModelDownload'];
export type ModelImport = Schemas['ModelImport'];
export type Activation = Schemas['ActivationRead'];
export type ActivationExtract = Schemas['ActivationExtract'];

export type TokenizeText = Schemas['TokenizeText'];
export type TokenizedText = Schemas['TokenizedText'];
