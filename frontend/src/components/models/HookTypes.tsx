import { useId } from 'react';
import { ErrorNote, groupDescribedBy } from '@/components/common/Field';
import { InfoTip } from '@/components/common/InfoTip';
import { classNames } from '@/utils/classNames';
import { hookHint, hookName } from '@/utils/hookNames';

interface HookTypesProps {
  available: readonly string[];
  selected: readonly string[];
  onChange: (types: string[]) => void;
  help: string;
  error?: string;
}

/** Which activations are read in each chosen layer. */
export function HookTypes({ available, selected, onChange, help, error }: HookTypesProps) {
  const id = useId();
  const toggle = (type: string) =>
    onChange(
      selected.includes(type) ? selected.filter((other) => other !== type) : [...selected, type],
    );
  return (
    <div role="group" aria-label="Activation type" {...groupDescribedBy(id, error)}>
      <div className="mb-2 flex items-center gap-1.5">
        <span className="text-sm font-medium text-slate-300">Activation Type</span>
        <InfoTip label="activation types" text={help} />
      </div>
      <div className="flex flex-wrap gap-2">
        {available.map((type) => (
          <button
            key={type}
            type="button"
            aria-pressed={selected.includes(type)}
            title={hookHint(type)}
            onClick={() => toggle(type)}
            className={classNames(
              'rounded-lg border px-4 py-2 text-sm transition-colors',
              selected.includes(type)
                ? 'border-purple-500 bg-purple-600 text-white'
                : 'border-slate-700 bg-slate-800 text-slate-300 hover:bg-slate-700',
            )}
          >
            {hookName(type)}
          </button>
        ))}
      </div>
      {error && <ErrorNote id={id}>{error}</ErrorNote>}
    </div>
  );
}
