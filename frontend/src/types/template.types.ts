import type { Schemas } from './api.types';

export type TrainingTemplate = Schemas['TrainingTemplateRead'];
export type TrainingTemplateWrite = Schemas['TrainingTemplateWrite'];
export type ExtractionTemplate = Schemas['ExtractionTemplateRead'];
export type ExtractionTemplateWrite = Schemas['ExtractionTemplateWrite'];
export type TemplateBundle = Schemas['TemplateBundle'];
export type TemplatesImported = Schemas['TemplatesImported'];

/** What every list of saved settings shows of an entry. */
export interface Saved {
  id: string;
  name: string;
  description: string | null;
  is_favorite: boolean;
}
