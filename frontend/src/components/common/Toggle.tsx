import { useId } from 'react';
import { classNames } from '@/utils/classNames';
import { describedBy, ErrorNote } from './Field';
import { InfoTip } from './InfoTip';

interface ToggleProps {
  label: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
  help?: string;
  error?: string;
  disabled?: boolean;
}

export function Toggle({ label, checked, onChange, help, error, disabled }: ToggleProps) {
  const id = useId();
  return (
    <div>
      <div className="flex items-center justify-between gap-4">
        <span className="flex items-center gap-1.5">
          <span id={id} className="text-sm font-medium text-slate-300">
            {label}
          </span>
          {help && <InfoTip label={label} text={help} />}
        </span>
        <button
          type="button"
          role="switch"
          aria-checked={checked}
          aria-labelledby={id}
          {...describedBy(id, { error })}
          disabled={disabled}
          onClick={() => onChange(!checked)}
          className={classNames(
            'relative h-6 w-12 shrink-0 rounded-full transition-colors disabled:opacity-50',
            checked ? 'bg-emerald-600' : 'bg-slate-600',
          )}
        >
          <span
            aria-hidden
            className={classNames(
              'absolute top-1 left-1 size-4 rounded-full bg-white transition-transform',
              checked && 'translate-x-6',
            )}
          />
        </button>
      </div>
      {error && <ErrorNote id={id}>{error}</ErrorNote>}
    </div>
  );
}
