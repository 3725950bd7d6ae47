import { Info } from 'lucide-react';
import { type CSSProperties, useId, useRef, useState } from 'react';
import { classNames } from '@/utils/classNames';

interface InfoTipProps {
  /** What is explained, for the button's name. */
  label: string;
  text: string;
}

/** Half of the widest tip and a margin, in pixels. */
const REACH = 136;
const GAP = 8;

/** An info icon whose explanation shows on hover and on keyboard focus. */
export function InfoTip({ label, text }: InfoTipProps) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const [place, setPlace] = useState<CSSProperties | null>(null);
  const show = () => setPlace(button.current && above(button.current.getBoundingClientRect()));
  const hide = () => setPlace(null);
  return (
    <span className="inline-flex" onPointerEnter={show} onPointerLeave={hide}>
      <button
        ref={button}
        type="button"
        aria-label={`About ${label}`}
        aria-describedby={id}
        onFocus={show}
        onBlur={hide}
        className="rounded-full text-slate-500 transition-colors hover:text-slate-300"
      >
        <Info className="size-3.5" aria-hidden />
      </button>
      <span
        id={id}
        role="tooltip"
        style={place ?? undefined}
        className={classNames(
          // Fixed, so that a hidden tip near the edge does not make the page wider.
          'pointer-events-none fixed top-0 left-0 z-40 w-max max-w-64 -translate-x-1/2 rounded-lg border border-slate-700 bg-slate-800 px-3 py-2 text-left text-xs leading-relaxed font-normal text-slate-200 normal-case shadow-xl',
          !place && 'invisible',
        )}
      >
        {text}
      </span>
    </span>
  );
}

/** Above an icon, and inside the window. */
function above({ left, width, top }: DOMRect): CSSProperties {
  const centre = left + width / 2;
  const last = Math.max(REACH, document.documentElement.clientWidth - REACH);
  return {
    left: Math.min(Math.max(centre, REACH), last),
    top: 'auto',
    bottom: window.innerHeight - top + GAP,
  };
}
