import { type ReactNode, useEffect, useRef } from 'react';
import { classNames } from '@/utils/classNames';

interface FocusedCardProps {
  name: string;
  /** Scrolled into sight and marked, after it was started, imported or linked. */
  isFocused: boolean;
  children: ReactNode;
}

/** The frame of one dictionary in the list. */
export function FocusedCard({ name, isFocused, children }: FocusedCardProps) {
  const card = useRef<HTMLElement>(null);
  useEffect(() => {
    if (isFocused) card.current?.scrollIntoView({ block: 'start', behavior: 'smooth' });
  }, [isFocused]);
  return (
    <article
      ref={card}
      aria-label={name}
      className={classNames(
        'scroll-mt-24 space-y-4 rounded-lg border bg-slate-900/50 p-6',
        isFocused ? 'border-emerald-500/40' : 'border-slate-800',
      )}
    >
      {children}
    </article>
  );
}
