import type { ReactNode } from 'react';
import { InfoTip } from './InfoTip';

export const CONTROL =
  'w-full rounded-lg border border-slate-700 bg-slate-900 px-4 py-2 text-slate-100 ' +
  'transition-colors focus:border-emerald-500 focus:outline-none disabled:cursor-not-allowed ' +
  'disabled:opacity-60 aria-invalid:border-red-500';

/** What every labelled control takes. */
export interface FieldProps {
  label: string;
  /** One line under the control. */
  hint?: string;
  /** Longer explanation behind an info icon beside the label. */
  help?: string;
  /** Takes the place of the hint. */
  error?: string;
  /** For toolbars: the label is read aloud only. */
  isLabelHidden?: boolean;
}

interface FieldFrameProps extends FieldProps {
  id: string;
  children: ReactNode;
}

/** Label above, hint or error below, tied to the control by `id`. */
export function Field(props: FieldFrameProps) {
  const { id, label, hint, help, error, isLabelHidden = false, children } = props;
  return (
    <div className="min-w-0">
      <div className={isLabelHidden ? 'sr-only' : 'mb-2 flex items-center gap-1.5'}>
        <label htmlFor={id} className="text-sm font-medium text-slate-300">
          {label}
        </label>
        {help && <InfoTip label={label} text={help} />}
      </div>
      {children}
      {error ? (
        <ErrorNote id={id}>{error}</ErrorNote>
      ) : (
        hint && (
          <p id={`${id}-note`} className="mt-1 text-xs text-slate-400">
            {hint}
          </p>
        )
      )}
    </div>
  );
}

/** What is wrong with a control or a group, tied to it by `describedBy` with the same `id`. */
export function ErrorNote({ id, children }: { id: string; children: ReactNode }) {
  return (
    <p id={`${id}-note`} className="mt-1 text-sm text-red-400">
      {children}
    </p>
  );
}

/** The aria attributes of a group of controls, which cannot be invalid itself. */
export function groupDescribedBy(id: string, error: string | undefined) {
  return { 'aria-describedby': error ? `${id}-note` : undefined };
}

/** The aria attributes of a control inside a `Field`. */
export function describedBy(id: string, { hint, error }: Pick<FieldProps, 'hint' | 'error'>) {
  return {
    'aria-invalid': error ? true : undefined,
    'aria-describedby': (error ?? hint) ? `${id}-note` : undefined,
  };
}
