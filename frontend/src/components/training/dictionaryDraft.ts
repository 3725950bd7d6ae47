import type { SaeDownload, SaeImport } from '@/types/sae.types';
import { isRepoId, UNREADABLE } from '@/utils/validation';

type HookType = NonNullable<SaeImport['hook_type']>;

export const HOOK_TYPES: readonly HookType[] = [
  'residual',
  'resid_mid',
  'mlp',
  'attention',
  'z',
  'mlp_input',
];

/** What was typed into the form of an import. */
export interface DictionaryDraft {
  modelId: string;
  name: string;
  repo: string;
  subfolder: string;
  revision: string;
  token: string;
  path: string;
  /** Null is "as its files say", NaN what cannot be read. */
  layer: number | null;
  hookType: HookType | '';
  evaluate: boolean;
}

export const EMPTY_DRAFT: DictionaryDraft = {
  modelId: '',
  name: '',
  repo: '',
  subfolder: '',
  revision: '',
  token: '',
  path: '',
  layer: null,
  hookType: '',
  evaluate: true,
};

/** Whether enough was said to ask for it. */
export function isComplete(draft: DictionaryDraft, source: 'hub' | 'path'): boolean {
  return source === 'hub' ? isRepoId(draft.repo) : draft.path.trim() !== '';
}

/** What is wrong with the layer, as far as the model says. */
export function layerError(layer: number | null, nLayers: number | null): string | undefined {
  if (layer === null) return undefined;
  if (Number.isNaN(layer)) return UNREADABLE;
  if (!Number.isInteger(layer)) return 'Whole numbers only';
  if (layer < 0) return 'At least 0';
  return nLayers !== null && layer >= nLayers
    ? `At most ${nLayers - 1}: the model has ${nLayers} layers`
    : undefined;
}

function common(draft: DictionaryDraft, modelId: string) {
  return {
    model_id: modelId,
    name: draft.name.trim() || null,
    layer: draft.layer,
    hook_type: draft.hookType || null,
    evaluate: draft.evaluate,
  };
}

export function toImport(draft: DictionaryDraft, modelId: string): SaeImport {
  return { ...common(draft, modelId), path: draft.path.trim() };
}

export function toDownload(draft: DictionaryDraft, modelId: string): SaeDownload {
  return {
    ...common(draft, modelId),
    repo_id: draft.repo.trim(),
    subfolder: draft.subfolder.trim() || null,
    revision: draft.revision.trim() || null,
    access_token: draft.token || null,
  };
}
