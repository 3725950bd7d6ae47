import { useId } from 'react';
import { Button } from '@/components/common/Button';
import { ErrorNote, groupDescribedBy } from '@/components/common/Field';
import { classNames } from '@/utils/classNames';

interface LayerGridProps {
  count: number;
  selected: readonly number[];
  onChange: (layers: number[]) => void;
  error?: string;
}

/** One button per layer of the model, any number of them pressed. */
export function LayerGrid({ count, selected, onChange, error }: LayerGridProps) {
  const layers = Array.from({ length: count }, (_, layer) => layer);
  const id = useId();
  const isAll = selected.length === count;

  const toggle = (layer: number) => {
    const next = selected.includes(layer)
      ? selected.filter((other) => other !== layer)
      : [...selected, layer].sort((a, b) => a - b);
    onChange(next);
  };

  return (
    <div role="group" aria-label="Layers" {...groupDescribedBy(id, error)}>
      <div className="mb-2 flex items-center justify-between">
        <span className="text-sm font-medium text-slate-300">
          Layers <span className="text-slate-400">({selected.length} selected)</span>
        </span>
        <Button size="sm" variant="ghost" onClick={() => onChange(isAll ? [] : layers)}>
          {isAll ? 'Deselect All' : 'Select All'}
        </Button>
      </div>
      <div className="grid max-h-52 grid-cols-6 gap-2 -m-1 overflow-y-auto rounded-lg p-1">
        {layers.map((layer) => (
          <button
            key={layer}
            type="button"
            aria-pressed={selected.includes(layer)}
            onClick={() => toggle(layer)}
            className={classNames(
              'rounded-lg border py-2 font-mono text-sm transition-colors',
              selected.includes(layer)
                ? 'border-emerald-500 bg-emerald-600 text-white'
                : 'border-slate-700 bg-slate-800 text-slate-300 hover:bg-slate-700',
            )}
          >
            L{layer}
          </button>
        ))}
      </div>
      {error && <ErrorNote id={id}>{error}</ErrorNote>}
    </div>
  );
}
