import { type InputHTMLAttributes, type Ref, type TextareaHTMLAttributes, useId } from 'react';
import { classNames } from '@/utils/classNames';
import { CONTROL, describedBy, Field, type FieldProps } from './Field';

interface InputProps
  extends FieldProps, Omit<InputHTMLAttributes<HTMLInputElement>, 'onChange' | 'id'> {
  value: string;
  onChange: (value: string) => void;
  mono?: boolean;
}

export function Input({
  label,
  hint,
  help,
  error,
  onChange,
  mono,
  className,
  ...rest
}: InputProps) {
  const id = useId();
  return (
    <Field id={id} label={label} hint={hint} help={help} error={error}>
      <input
        id={id}
        className={classNames(CONTROL, mono && 'font-mono', className)}
        onChange={(event) => onChange(event.target.value)}
        {...describedBy(id, { hint, error })}
        {...rest}
      />
    </Field>
  );
}

interface TextAreaProps
  extends FieldProps, Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, 'onChange' | 'id'> {
  value: string;
  onChange: (value: string) => void;
  ref?: Ref<HTMLTextAreaElement>;
}

export function TextArea({ label, hint, help, error, onChange, ...rest }: TextAreaProps) {
  const id = useId();
  return (
    <Field id={id} label={label} hint={hint} help={help} error={error}>
      <textarea
        id={id}
        className={classNames(CONTROL, 'block resize-y')}
        onChange={(event) => onChange(event.target.value)}
        {...describedBy(id, { hint, error })}
        {...rest}
      />
    </Field>
  );
}
