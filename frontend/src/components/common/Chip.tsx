import { X } from 'lucide-react';
import type { ReactNode } from 'react';

interface ChipProps {
  children: ReactNode;
  /** What removing it does, for the button's name. */
  removeLabel: string;
  onRemove: () => void;
}

/** Something chosen, such as an active filter, that one click removes. */
export function Chip({ children, removeLabel, onRemove }: ChipProps) {
  return (
    <span className="inline-flex max-w-full items-center gap-1 rounded-full border border-slate-700 bg-slate-800/60 py-0.5 pr-1 pl-3 text-sm text-slate-200">
      <span className="truncate">{children}</span>
      <button
        type="button"
        aria-label={removeLabel}
        title={removeLabel}
        onClick={onRemove}
        className="rounded-full p-1 text-slate-400 transition-colors hover:bg-slate-700 hover:text-slate-100"
      >
        <X className="size-3.5" aria-hidden />
      </button>
    </span>
  );
}
