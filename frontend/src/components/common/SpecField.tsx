import type { FieldSpec, SpecValue } from '@/types/form.types';
import { humanize } from '@/utils/format';
import { specHint } from '@/utils/validation';
import { Input } from './Input';
import { NumberInput } from './NumberInput';
import { Select } from './Select';
import { Toggle } from './Toggle';

interface SpecFieldProps {
  spec: FieldSpec;
  label: string;
  value: SpecValue;
  onChange: (value: SpecValue) => void;
  error?: string;
  /** Shows these values as a select although the API takes any number. */
  choices?: readonly number[];
  disabled?: boolean;
}

/** The control for one request field; bounds, unit and help come from the API's own description. */
export function SpecField({
  spec,
  label,
  value,
  onChange,
  error,
  choices,
  disabled,
}: SpecFieldProps) {
  const common = { label, help: spec.help || undefined, error, disabled };
  if (spec.type === 'boolean') {
    return <Toggle {...common} checked={value === true} onChange={onChange} />;
  }
  if (choices) {
    const values =
      typeof value === 'number' && !choices.includes(value) ? [value, ...choices] : choices;
    return (
      <Select
        {...common}
        value={String(value)}
        onChange={(next) => onChange(Number(next))}
        options={values.map((choice) => ({
          value: String(choice),
          label: spec.unit?.startsWith('x') ? `${choice}x` : choice.toLocaleString('en-US'),
        }))}
      />
    );
  }
  if (spec.options) {
    return (
      <Select
        {...common}
        value={String(value)}
        onChange={onChange}
        options={spec.options.map((option) => ({
          value: String(option),
          label: humanize(String(option)),
        }))}
      />
    );
  }
  if (spec.type === 'integer' || spec.type === 'number') {
    return (
      <NumberInput
        {...common}
        hint={specHint(spec)}
        unit={spec.unit}
        placeholder={emptyMeaning(spec)}
        value={typeof value === 'number' ? value : null}
        onChange={onChange}
      />
    );
  }
  return (
    <Input {...common} value={typeof value === 'string' ? value : ''} onChange={onChange} mono />
  );
}

/** What an empty field stands for, as the API's help says it. */
function emptyMeaning(spec: FieldSpec): string | undefined {
  if (!spec.nullable) return undefined;
  if (/empty means (all|the whole)/.test(spec.help)) return 'all';
  return spec.help.includes('empty means') ? 'auto' : 'none';
}
