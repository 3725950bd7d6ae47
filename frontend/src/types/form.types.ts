export type { FieldSpec } from '@/services/generated/fields';

export type SpecValue = string | number | boolean | null;

export interface SelectOption {
  value: string;
  label: string;
  disabled?: boolean;
}
