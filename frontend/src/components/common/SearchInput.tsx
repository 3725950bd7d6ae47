import { Search } from 'lucide-react';
import type { Ref } from 'react';
import { classNames } from '@/utils/classNames';
import { CONTROL } from './Field';

interface SearchInputProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  placeholder?: string;
  className?: string;
  ref?: Ref<HTMLInputElement>;
}

export function SearchInput(props: SearchInputProps) {
  const { label, value, onChange, placeholder, className, ref } = props;
  return (
    <div className="relative w-full">
      <Search
        aria-hidden
        className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-slate-400"
      />
      <input
        ref={ref}
        type="search"
        aria-label={label}
        placeholder={placeholder ?? label}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          // Esc leaves the field with its text; a second one closes what is around it.
          event.preventDefault();
          event.stopPropagation();
          event.currentTarget.blur();
        }}
        className={classNames(CONTROL, 'pl-10', className)}
      />
    </div>
  );
}
