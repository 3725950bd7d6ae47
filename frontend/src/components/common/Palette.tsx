import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { createPortal } from 'react-dom';
import { classNames } from '@/utils/classNames';
import { CONTROL } from './Field';
import { useFocusTrap } from './useFocusTrap';

export interface PaletteItem {
  id: string;
  label: string;
  /** What kind of thing it is. */
  hint: string;
  run: () => void;
}

const SHOWN = 10;

/** Items whose label or kind holds every word typed. */
export function matchItems(items: readonly PaletteItem[], text: string): PaletteItem[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const holds = ({ label, hint }: PaletteItem) => {
    const searched = `${label} ${hint}`.toLowerCase();
    return words.every((word) => searched.includes(word));
  };
  return items.filter(holds).slice(0, SHOWN);
}

interface PaletteProps {
  items: readonly PaletteItem[];
  onClose: () => void;
}

/** One field that goes anywhere: type, arrow, Enter. */
export function Palette({ items, onClose }: PaletteProps) {
  const panel = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  const [text, setText] = useState('');
  const [active, setActive] = useState(0);
  useFocusTrap(panel);
  // After the trap, which focuses the panel itself.
  useEffect(() => input.current?.focus(), []);
  const found = matchItems(items, text);
  const go = (item: PaletteItem | undefined) => {
    if (!item) return;
    onClose();
    item.run();
  };
  const handleKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length > 0) setActive((active + step + found.length) % found.length);
    else if (event.key === 'Enter') go(found[active]);
    else if (event.key === 'Escape') onClose();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return createPortal(
    <div
      className="fixed inset-0 z-60 flex animate-fade-in justify-center bg-black/50 p-4 pt-[15vh]"
      onMouseDown={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <div
        ref={panel}
        role="dialog"
        aria-modal="true"
        aria-label="Go to"
        tabIndex={-1}
        onKeyDown={handleKeyDown}
        className="h-fit w-full max-w-xl rounded-lg border border-slate-700 bg-slate-900 p-3 shadow-2xl focus-visible:outline-none"
      >
        <input
          ref={input}
          role="combobox"
          aria-label="Go to"
          aria-expanded
          aria-controls={id}
          aria-activedescendant={found[active] ? `${id}-${active}` : undefined}
          placeholder="A tab, dataset, model, training…"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setActive(0);
          }}
          className={CONTROL}
        />
        <ul id={id} role="listbox" aria-label="Places" className="mt-2">
          {found.map((item, index) => (
            <li
              key={item.id}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === active}
              onMouseEnter={() => setActive(index)}
              onClick={() => go(item)}
              className={classNames(
                'flex cursor-pointer justify-between gap-4 rounded-lg px-3 py-2 text-sm',
                index === active ? 'bg-slate-800 text-slate-100' : 'text-slate-300',
              )}
            >
              <span className="truncate">{item.label}</span>
              <span className="shrink-0 text-slate-400">{item.hint}</span>
            </li>
          ))}
        </ul>
        {found.length === 0 && <p className="px-3 py-4 text-sm text-slate-400">Nothing matches.</p>}
      </div>
    </div>,
    document.body,
  );
}
