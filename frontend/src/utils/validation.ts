import type { FieldSpec } from '@/types/form.types';
import { formatSignificant } from './format';

/** Said of what was typed into a field for a number and is none. */
export const UNREADABLE = 'Not a number';

const REPO_ID = /^[A-Za-z0-9][\w.-]*(\/[A-Za-z0-9][\w.-]*)?$/;

/** True for `owner/name` as the Hugging Face hub spells it. */
export function isRepoId(text: string): boolean {
  return REPO_ID.test(text.trim());
}

function bound(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString('en-US') : formatSignificant(value);
}

/** The range of a number field in words; empty when it has none. */
export function specHint(spec: FieldSpec): string | undefined {
  if (spec.min !== null && spec.max !== null) return `${bound(spec.min)} to ${bound(spec.max)}`;
  if (spec.min !== null) return `at least ${bound(spec.min)}`;
  if (spec.max !== null) return `at most ${bound(spec.max)}`;
  return undefined;
}

/** What is wrong with a value by its field's bounds, or undefined. Mirrors the API's own check. */
export function specError(spec: FieldSpec, value: unknown): string | undefined {
  if (value === null || value === undefined || value === '') {
    return spec.nullable || !isNumeric(spec) ? undefined : 'Type a number';
  }
  if (typeof value !== 'number') return undefined;
  if (Number.isNaN(value)) return UNREADABLE;
  if (spec.type === 'integer' && !Number.isInteger(value)) return 'Whole numbers only';
  if (spec.min !== null && value < spec.min) return `At least ${bound(spec.min)}`;
  if (spec.max !== null && value > spec.max) return `At most ${bound(spec.max)}`;
  return undefined;
}

function isNumeric(spec: FieldSpec): boolean {
  return spec.type === 'integer' || spec.type === 'number';
}

/** `/texts/my corpus.jsonl.gz` → `my corpus`. */
export function nameFromPath(path: string): string {
  const last = path.trim().replace(/\/+$/, '').split('/').at(-1) ?? '';
  return last.replace(/(\.(txt|md|jsonl|json|csv|parquet|gguf|gz))+$/i, '');
}
