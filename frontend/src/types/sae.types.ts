import type { Schemas } from './api.types';

export type Sae = Schemas['SaeRead'];
export type SaeImport = Schemas['SaeImport'];
export type SaeDownload = Schemas['SaeDownload'];
export type ParityReport = Schemas['ParityReport'];
