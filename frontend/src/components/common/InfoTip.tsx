import { Info } from 'lucide-react';
import { useId } from 'react';

interface InfoTipProps {
  /** What is explained, for the button's name. */
  label: string;
  text: string;
}

/** An info icon whose explanation shows on hover and on keyboard focus. */
export function InfoTip({ label, text }: InfoTipProps) {
  const id = useId();
  return (
    <span className="group relative inline-flex">
      <button
        type="button"
        aria-label={`About ${label}`}
        aria-describedby={id}
        className="rounded-full text-slate-500 transition-colors hover:text-slate-300"
      >
        <Info className="size-3.5" aria-hidden />
      </button>
      <span
        id={id}
        role="tooltip"
        className="pointer-events-none invisible absolute bottom-full left-1/2 z-40 mb-2 w-max max-w-64 -translate-x-1/2 rounded-lg border border-slate-700 bg-slate-800 px-3 py-2 text-left text-xs leading-relaxed font-normal text-slate-200 normal-case shadow-xl group-focus-within:visible group-hover:visible"
      >
        {text}
      </span>
    </span>
  );
}
