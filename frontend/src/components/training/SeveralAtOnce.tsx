import { useId } from 'react';
import { Disclosure } from '@/components/common/Disclosure';
import { Input } from '@/components/common/Input';
import { describedBy, ErrorNote } from '@/components/common/Field';
import { type GridTexts, parseNumbers, UNREADABLE_NUMBERS } from './gridVariants';

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
  const id = useId();
  const isUnreadable = (name: keyof GridTexts) => parseNumbers(texts[name]) === null;
  const shared = (['k', 'seed', 'layer'] as const).some(isUnreadable) ? undefined : error;
  const field = (name: keyof GridTexts, label: string, placeholder: string) => (
    <Input
      label={label}
      placeholder={placeholder}
      value={texts[name]}
      onChange={(value) => onChange({ ...texts, [name]: value })}
      error={isUnreadable(name) ? UNREADABLE_NUMBERS : undefined}
      {...(shared && texts[name].trim() !== '' ? describedBy(id, { error: shared }) : {})}
    />
  );
  return (
    <Disclosure title={count > 1 ? `Several at Once: ${count} dictionaries` : 'Several at Once'}>
      <p className="mb-4 max-w-3xl text-sm text-slate-400">
        Dictionaries with other values read the same batches, so the activations are read once for
        all of them. They start, pause and stop together. Leave a field empty for the value above.
      </p>
      <div className="grid gap-4 sm:grid-cols-3">
        {showsK && field('k', 'Values of k', '16, 32, 64')}
        {field('seed', 'Seeds', '0, 1, 2')}
        {layers.length > 1 && field('layer', 'Layers', layers.join(', '))}
      </div>
      {shared && <ErrorNote id={id}>{shared}</ErrorNote>}
    </Disclosure>
  );
}
