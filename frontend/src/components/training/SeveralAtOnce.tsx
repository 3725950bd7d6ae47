import { Disclosure } from '@/components/common/Disclosure';
import { Input } from '@/components/common/Input';
import type { GridTexts } from './gridVariants';

interface SeveralAtOnceProps {
  texts: GridTexts;
  onChange: (texts: GridTexts) => void;
  /** How many dictionaries these are; 0 for none. */
  count: number;
  showsK: boolean;
  /** Layers that the store holds. */
  layers: readonly number[];
  error?: string;
}

/** Further values of k, seed and layer, trained in one pass over the activations. */
export function SeveralAtOnce({
  texts,
  onChange,
  count,
  showsK,
  layers,
  error,
}: SeveralAtOnceProps) {
  const change = (name: keyof GridTexts) => (value: string) =>
    onChange({ ...texts, [name]: value });
  return (
    <Disclosure title={count > 1 ? `Several at Once: ${count} dictionaries` : 'Several at Once'}>
      <p className="mb-4 max-w-3xl text-sm text-slate-400">
        Dictionaries with other values read the same batches, so the activations are read once for
        all of them. They start, pause and stop together. Leave a field empty for the value above.
      </p>
      <div className="grid gap-4 sm:grid-cols-3">
        {showsK && (
          <Input
            label="Values of k"
            placeholder="16, 32, 64"
            value={texts.k}
            onChange={change('k')}
          />
        )}
        <Input label="Seeds" placeholder="0, 1, 2" value={texts.seed} onChange={change('seed')} />
        {layers.length > 1 && (
          <Input
            label="Layers"
            placeholder={layers.join(', ')}
            value={texts.layer}
            onChange={change('layer')}
          />
        )}
      </div>
      {error && <p className="mt-3 text-sm text-red-400">{error}</p>}
    </Disclosure>
  );
}
