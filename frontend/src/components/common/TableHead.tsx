import { classNames } from '@/utils/classNames';

export interface Column {
  label: string;
  /** Numbers stand at the right. */
  isNumber?: boolean;
  /** Read out, but not shown. */
  isHidden?: boolean;
  className?: string;
}

/** The headings of a small table. */
export function TableHead({ columns }: { columns: readonly Column[] }) {
  return (
    <thead className="text-xs text-slate-400">
      <tr>
        {columns.map(({ label, isNumber, isHidden, className }) => (
          <th
            key={label}
            scope="col"
            className={classNames(
              'py-2 font-medium',
              isNumber ? 'text-right' : 'text-left',
              className,
            )}
          >
            {isHidden ? <span className="sr-only">{label}</span> : label}
          </th>
        ))}
      </tr>
    </thead>
  );
}
