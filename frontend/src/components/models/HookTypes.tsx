import { InfoTip } from '@/components/common/InfoTip';
import { classNames } from '@/utils/classNames';

const NAMES: Record<string, string> = {
  residual: 'Residual Stream',
  mlp: 'MLP Output',
  attention: 'Attention Output',
  mlp_input: 'MLP Input',
};

export function hookName(type: string): string {
  return NAMES[type] ?? type;
}

interface HookTypesProps {
  available: readonly string[];
  selected: readonly string[];
  onChange: (types: string[]) => void;
  help: string;
  error?: string;
}

/** Which activations are read in each chosen layer. */
export function HookTypes({ available, selected, onChange, help, error }: HookTypesProps) {
  const toggle = (type: string) =>
    onChange(
      selected.includes(type) ? selected.filter((other) => other !== type) : [...selected, type],
    );
  return (
    <div role="group" aria-label="Activation type">
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
      {error && <p className="mt-1 text-sm text-red-400">{error}</p>}
    </div>
  );
}
