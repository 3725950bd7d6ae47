import { X } from 'lucide-react';
import { type ReactNode, useEffect, useEffectEvent, useId, useRef } from 'react';
import { createPortal } from 'react-dom';
import { classNames } from '@/utils/classNames';
import { IconButton } from './IconButton';
import { useFocusTrap } from './useFocusTrap';

const SIZES = { lg: 'max-w-lg', '3xl': 'max-w-3xl', '4xl': 'max-w-4xl', '6xl': 'max-w-6xl' };

interface ModalProps {
  title: ReactNode;
  subtitle?: ReactNode;
  size?: keyof typeof SIZES;
  onClose: () => void;
  /** A tab row under the header. */
  tabs?: ReactNode;
  /** Stays in sight below the scrolling body. */
  footer?: ReactNode;
  /** Buttons beside the close icon. */
  actions?: ReactNode;
  children: ReactNode;
}

/** A dialog over the page: Esc and a click outside close it, Tab stays inside. */
export function Modal({
  title,
  subtitle,
  size = '4xl',
  onClose,
  tabs,
  footer,
  actions,
  children,
}: ModalProps) {
  const titleId = useId();
  const panel = useRef<HTMLDivElement>(null);
  useFocusTrap(panel);

  useEffect(() => {
    const overflow = document.body.style.overflow;
    document.body.style.overflow = 'hidden';
    return () => {
      document.body.style.overflow = overflow;
    };
  }, []);

  const closeFromOutside = useEffectEvent(onClose);
  useEffect(() => {
    // When what had the focus goes away, the page gets it, and the dialog would not hear the key.
    const handleKeyDown = (event: KeyboardEvent) => {
      const isLost = document.activeElement === document.body;
      if (event.key === 'Escape' && isLost && !event.defaultPrevented) closeFromOutside();
    };
    document.addEventListener('keydown', handleKeyDown);
    return () => document.removeEventListener('keydown', handleKeyDown);
  }, []);

  return createPortal(
    <div
      className="fixed inset-0 z-50 flex animate-fade-in items-center justify-center bg-black/50 p-4 backdrop-blur-sm"
      onMouseDown={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <div
        ref={panel}
        role="dialog"
        aria-modal="true"
        aria-labelledby={titleId}
        tabIndex={-1}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          event.stopPropagation();
          onClose();
        }}
        className={classNames(
          'flex max-h-[92vh] w-full flex-col rounded-lg border border-slate-800 bg-slate-900 shadow-2xl',
          'focus-visible:outline-none',
          SIZES[size],
        )}
      >
        <header className="flex items-start justify-between gap-4 border-b border-slate-800 px-6 py-4">
          <div className="min-w-0 flex-1">
            <h2 id={titleId} className="truncate text-xl font-semibold">
              {title}
            </h2>
            {subtitle && <div className="mt-1 text-sm text-slate-400">{subtitle}</div>}
          </div>
          <div className="flex shrink-0 items-center gap-1">
            {actions}
            <IconButton label="Close" icon={X} onClick={onClose} iconClassName="size-5" />
          </div>
        </header>
        {tabs}
        <div
          className="min-h-0 flex-1 overflow-y-auto p-6"
          tabIndex={0}
          role="region"
          aria-labelledby={titleId}
        >
          {children}
        </div>
        {footer && <footer className="border-t border-slate-800 px-6 py-3">{footer}</footer>}
      </div>
    </div>,
    document.body,
  );
}
