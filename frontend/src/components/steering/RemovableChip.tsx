import { X } from 'lucide-react';

interface RemovableChipProps {
  text: string;
  /** What a press does. */
  title: string;
  onRemove: () => void;
}

/** One entry of a list, which a press takes out again; its spaces are shown. */
export function RemovableChip({ text, title, onRemove }: RemovableChipProps) {
  return (
    <li className="min-w-0">
      <button
        type="button"
        title={title}
        onClick={onRemove}
        className="flex min-h-6 max-w-full items-center gap-1 rounded border border-emerald-500/60 px-1.5 font-mono text-xs text-slate-100 hover:border-red-500"
      >
        <span className="truncate whitespace-pre">{text}</span>
        <X className="size-3 shrink-0 text-slate-400" aria-hidden />
      </button>
    </li>
  );
}
