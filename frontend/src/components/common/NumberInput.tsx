import { type InputHTMLAttributes, useEffect, useId, useRef, useState } from 'react';
import { classNames } from '@/utils/classNames';
import { UNREADABLE } from '@/utils/validation';
import { CONTROL, describedBy, Field, type FieldProps } from './Field';

interface NumberInputProps
  extends
    FieldProps,
    Omit<InputHTMLAttributes<HTMLInputElement>, 'value' | 'onChange' | 'id' | 'type'> {
  /** Null is the empty field, NaN one that holds no number. */
  value: number | null;
  onChange: (value: number | null) => void;
  unit?: string | null;
}

function parse(text: string): number | null {
  const value = Number(text.replaceAll(',', ''));
  if (text.trim() === '') return null;
  return Number.isFinite(value) ? value : NaN;
}

/**
 * A number with a text draft, so that `1e-` can be typed on the way to `1e-4`. What cannot be read
 * is NaN to whoever listens, says so, and keeps its form from being sent.
 */
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
  const isDraftCurrent = draft !== null && Object.is(parse(draft), value);
  const text = isDraftCurrent ? draft : value === null ? '' : String(value);

  const isUnreadable = Number.isNaN(value);
  const shownError = isUnreadable ? UNREADABLE : error;
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    input.current?.setCustomValidity(isUnreadable ? UNREADABLE : '');
  }, [isUnreadable]);

  const handleChange = (next: string) => {
    setDraft(next);
    onChange(parse(next));
  };

  return (
    <Field id={id} label={label} hint={hint} help={help} error={shownError}>
      <div className="relative">
        <input
          ref={input}
          id={id}
          inputMode="decimal"
          autoComplete="off"
          value={text}
          onChange={(event) => handleChange(event.target.value)}
          className={classNames(CONTROL, 'font-mono', unit && 'pr-24', className)}
          {...describedBy(id, { hint, error: shownError })}
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
