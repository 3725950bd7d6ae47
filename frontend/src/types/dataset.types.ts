import type { Schemas } from './api.types';

export type Dataset = Schemas['DatasetRead'];
export type DatasetStatus = Schemas['DatasetStatus'];
export type DatasetSample = Schemas['DatasetSample'];
export type DatasetStats = Schemas['DatasetStats'];
export type LengthBucket = Schemas['LengthBucket'];
export type Tokenization = Schemas['TokenizationRead'];
export type DatasetDownload = Schemas['DatasetDownload'];
export type DatasetImport = Schemas['DatasetImport'];
export type TokenizeRequest = Schemas['TokenizeRequest'];
export type TokenizePreviewRequest = Schemas['TokenizePreviewRequest'];
export type TokenizePreview = Schemas['TokenizePreview'];
