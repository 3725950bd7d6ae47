import { ChevronDown } from 'lucide-react';
import { type SelectHTMLAttributes, useId } from 'react';
import type { SelectOption } from '@/types/form.types';
import { classNames } from '@/utils/classNames';
import { CONTROL, describedBy, Field, type FieldProps } from './Field';

interface SelectProps
  extends FieldProps, Omit<SelectHTMLAttributes<HTMLSelectElement>, 'onChange' | 'id' | 'value'> {
  value: string;
  onChange: (value: string) => void;
  options: readonly SelectOption[];
  /** First entry that stands for no choice. */
  placeholder?: string;
}

export function Select({
  label,
  hint,
  help,
  error,
  isLabelHidden,
  value,
  onChange,
  options,
  placeholder,
  className,
  ...rest
}: SelectProps) {
  const id = useId();
  return (
    <Field {...{ id, label, hint, help, error, isLabelHidden }}>
      <div className="relative">
        <select
          id={id}
          value={value}
          onChange={(event) => onChange(event.target.value)}
          className={classNames(CONTROL, 'appearance-none truncate pr-10', className)}
          {...describedBy(id, { hint, error })}
          {...rest}
        >
          {placeholder !== undefined && <option value="">{placeholder}</option>}
          {options.map((option) => (
            <option key={option.value} value={option.value} disabled={option.disabled}>
              {option.label}
            </option>
          ))}
        </select>
        <ChevronDown
          aria-hidden
          className="pointer-events-none absolute top-1/2 right-3 size-4 -translate-y-1/2 text-slate-400"
        />
      </div>
    </Field>
  );
}
