import { Columns3 } from 'lucide-react';
import { useEffect, useId, useRef, useState } from 'react';
import { Button } from '@/components/common/Button';
import { COLUMNS, type Column } from './tableColumns';

interface ColumnChooserProps {
  shown: readonly Column[];
  onChange: (ids: string[]) => void;
}

/** Which columns the table has. */
export function ColumnChooser({ shown, onChange }: ColumnChooserProps) {
  const [isOpen, setIsOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const id = useId();
  const ids = shown.map((column) => column.id);

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
      className="relative"
      onKeyDown={(event) => {
        if (event.key === 'Escape') setIsOpen(false);
      }}
    >
      <Button
        icon={Columns3}
        className="py-2.5"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setIsOpen(!isOpen)}
      >
        Columns
      </Button>
      <fieldset
        id={id}
        hidden={!isOpen}
        className="absolute right-0 z-20 mt-2 w-52 space-y-1 rounded-lg border border-slate-700 bg-slate-900 p-3 shadow-2xl"
      >
        <legend className="sr-only">Columns of the table</legend>
        {COLUMNS.map((column) => (
          <label
            key={column.id}
            className="flex cursor-pointer items-center gap-2 rounded px-1 py-1 text-sm text-slate-200 hover:bg-slate-800"
          >
            <input
              type="checkbox"
              className="accent-emerald-500"
              checked={ids.includes(column.id)}
              onChange={(event) =>
                onChange(
                  event.target.checked
                    ? [...ids, column.id]
                    : ids.filter((other) => other !== column.id),
                )
              }
            />
            {column.label}
          </label>
        ))}
      </fieldset>
    </div>
  );
}
