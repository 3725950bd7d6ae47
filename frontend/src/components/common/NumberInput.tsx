import { type InputHTMLAttributes, useId, useState } from 'react';
import { classNames } from '@/utils/classNames';
import { CONTROL, describedBy, Field, type FieldProps } from './Field';

interface NumberInputProps
  extends
    FieldProps,
    Omit<InputHTMLAttributes<HTMLInputElement>, 'value' | 'onChange' | 'id' | 'type'> {
  /** Null is the empty field. */
  value: number | null;
  onChange: (value: number | null) => void;
  unit?: string | null;
}

function parse(text: string): number | null {
  const value = Number(text.replaceAll(',', ''));
  return text.trim() === '' || !Number.isFinite(value) ? null : value;
}

/** A number with a text draft, so that `1e-` can be typed on the way to `1e-4`. */
export function NumberInput({
  label,
  hint,
  help,
  error,
  value,
  onChange,
  unit,
  className,
  ...rest
}: NumberInputProps) {
  const id = useId();
  const [draft, setDraft] = useState<string | null>(null);
  const isDraftCurrent = draft !== null && parse(draft) === value;
  const text = isDraftCurrent ? draft : value === null ? '' : String(value);

  const handleChange = (next: string) => {
    setDraft(next);
    onChange(parse(next));
  };

  return (
    <Field id={id} label={label} hint={hint} help={help} error={error}>
      <div className="relative">
        <input
          id={id}
          inputMode="decimal"
          autoComplete="off"
          value={text}
          onChange={(event) => handleChange(event.target.value)}
          className={classNames(CONTROL, 'font-mono', unit && 'pr-24', className)}
          {...describedBy(id, { hint, error })}
          {...rest}
        />
        {unit && (
          <span className="pointer-events-none absolute inset-y-0 right-4 flex items-center text-xs text-slate-400">
            {unit}
          </span>
        )}
      </div>
    </Field>
  );
}
