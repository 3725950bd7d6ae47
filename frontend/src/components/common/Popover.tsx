import type { LucideIcon } from 'lucide-react';
import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { classNames } from '@/utils/classNames';
import { Button } from './Button';

interface PopoverProps {
  label: string;
  icon: LucideIcon;
  /** Width of the panel. */
  className: string;
  size?: 'sm' | 'md';
  children: (close: () => void) => ReactNode;
}

/** A button with a small panel below it; Esc and a press elsewhere close it. */
export function Popover({ label, icon, className, size = 'md', children }: PopoverProps) {
  const [isOpen, setIsOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  const close = () => setIsOpen(false);

  useEffect(() => {
    if (!isOpen) return undefined;
    const handlePointerDown = (event: PointerEvent) => {
      if (event.target instanceof Node && !box.current?.contains(event.target)) setIsOpen(false);
    };
    document.addEventListener('pointerdown', handlePointerDown);
    return () => document.removeEventListener('pointerdown', handlePointerDown);
  }, [isOpen]);

  return (
    <div
      ref={box}
      // On a phone the panel takes the page's width, wherever its button stands.
      className="sm:relative"
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !isOpen) return;
        event.stopPropagation();
        close();
      }}
    >
      <Button
        size={size}
        icon={icon}
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setIsOpen(!isOpen)}
      >
        {label}
      </Button>
      <div
        id={id}
        hidden={!isOpen}
        className={classNames(
          'absolute z-20 mt-2 max-sm:inset-x-3 max-sm:w-auto sm:right-0 rounded-lg border border-slate-700 bg-slate-900 p-4 shadow-2xl',
          className,
        )}
      >
        {isOpen && children(close)}
      </div>
    </div>
  );
}
