import { type KeyboardEvent, useRef } from 'react';
import { classNames } from '@/utils/classNames';

interface TabsProps<T extends string> {
  label: string;
  tabs: readonly { id: T; label: string }[];
  active: T;
  onChange: (tab: T) => void;
}

/** A row of tabs inside a modal; arrow keys move between them. */
export function Tabs<T extends string>({ label, tabs, active, onChange }: TabsProps<T>) {
  const row = useRef<HTMLDivElement>(null);

  const handleKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const index = tabs.findIndex((tab) => tab.id === active);
    const position = (index + step + tabs.length) % tabs.length;
    const next = tabs[position];
    if (!next) return;
    onChange(next.id);
    row.current?.querySelectorAll('button')[position]?.focus();
  };

  return (
    <div
      ref={row}
      role="tablist"
      aria-label={label}
      tabIndex={-1}
      onKeyDown={handleKeyDown}
      className="flex gap-6 border-b border-slate-800 px-6"
    >
      {tabs.map((tab) => (
        <button
          key={tab.id}
          type="button"
          role="tab"
          aria-selected={tab.id === active}
          tabIndex={tab.id === active ? 0 : -1}
          onClick={() => onChange(tab.id)}
          className={classNames(
            '-mb-px border-b-2 py-3 text-sm font-medium transition-colors',
            tab.id === active
              ? 'border-emerald-400 text-emerald-400'
              : 'border-transparent text-slate-400 hover:text-slate-300',
          )}
        >
          {tab.label}
        </button>
      ))}
    </div>
  );
}
