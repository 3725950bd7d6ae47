import { Columns3 } from 'lucide-react';
import { Popover } from '@/components/common/Popover';
import { COLUMNS, type Column } from './tableColumns';

interface ColumnChooserProps {
  shown: readonly Column[];
  onChange: (ids: string[]) => void;
}

/** Which columns the table has. */
export function ColumnChooser({ shown, onChange }: ColumnChooserProps) {
  const ids = shown.map((column) => column.id);
  const toggle = (id: string, isOn: boolean) =>
    onChange(isOn ? [...ids, id] : ids.filter((other) => other !== id));
  return (
    <Popover label="Columns" icon={Columns3} className="w-96">
      {() => (
        <fieldset className="grid grid-cols-2 gap-1">
          <legend className="sr-only">Columns of the table</legend>
          {COLUMNS.map(({ id, label }) => (
            <label
              key={id}
              className="flex cursor-pointer items-center gap-2 rounded px-1 py-1 text-sm text-slate-200 hover:bg-slate-800"
            >
              <input
                type="checkbox"
                className="accent-emerald-500"
                checked={ids.includes(id)}
                onChange={(event) => toggle(id, event.target.checked)}
              />
              {label}
            </label>
          ))}
        </fieldset>
      )}
    </Popover>
  );
}
