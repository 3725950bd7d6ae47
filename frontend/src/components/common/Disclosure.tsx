import { ChevronRight } from 'lucide-react';
import { type ReactNode, useId, useState } from 'react';
import { classNames } from '@/utils/classNames';

interface DisclosureProps {
  title: ReactNode;
  /** Open on first sight. */
  defaultOpen?: boolean;
  children: ReactNode;
}

/** An accordion row with a turning chevron. */
export function Disclosure({ title, defaultOpen = false, children }: DisclosureProps) {
  const [isOpen, setIsOpen] = useState(defaultOpen);
  const id = useId();
  return (
    <div className="rounded-lg border border-slate-800">
      <button
        type="button"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setIsOpen(!isOpen)}
        className="flex w-full items-center gap-2 rounded-lg px-4 py-3 text-left text-sm font-medium text-slate-300 transition-colors hover:bg-slate-800/40"
      >
        <ChevronRight
          aria-hidden
          className={classNames('size-4 transition-transform', isOpen && 'rotate-90')}
        />
        {title}
      </button>
      <div id={id} hidden={!isOpen} className="border-t border-slate-800 p-4">
        {isOpen && children}
      </div>
    </div>
  );
}
