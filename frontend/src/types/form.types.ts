export type { FieldSpec } from '@/services/generated/fields';

export interface SelectOption {
  value: string;
  label: string;
  disabled?: boolean;
}
