import { Filter } from 'lucide-react';
import { type SubmitEvent, useState } from 'react';
import { Button } from '@/components/common/Button';
import { NumberInput } from '@/components/common/NumberInput';
import { Popover } from '@/components/common/Popover';
import { Select } from '@/components/common/Select';
import { FIGURES } from './featureFigures';
import { type Range, withRange } from './featureQuery';

const SHARES: ReadonlySet<string> = new Set([
  'activation_frequency',
  'interpretability_score',
  'token_rule',
  'coherence',
  'token_concentration',
  'context_shift',
  'input_score',
]);

interface RangeFilterProps {
  ranges: readonly Range[];
  onChange: (ranges: Range[]) => void;
}

/** Lets through only features whose figure lies between two bounds. */
export function RangeFilter({ ranges, onChange }: RangeFilterProps) {
  const [column, setColumn] = useState<string>('activation_frequency');
  const [from, setFrom] = useState<number | null>(null);
  const [to, setTo] = useState<number | null>(null);
  const isBackwards = from !== null && to !== null && from > to;
  const isEmpty = from === null && to === null;
  const hint = SHARES.has(column) ? 'A share: 0.01 is 1 %' : 'Either bound may stay empty';

  const handleSubmit = (event: SubmitEvent, close: () => void) => {
    event.preventDefault();
    onChange(withRange(ranges, { column, from, to }));
    setFrom(null);
    setTo(null);
    close();
  };
  return (
    <Popover label="Filter" icon={Filter} className="w-80">
      {(close) => (
        <form className="space-y-4" onSubmit={(event) => handleSubmit(event, close)}>
          <Select
            label="Figure"
            value={column}
            options={FIGURES.map(({ key, label }) => ({ value: key, label }))}
            onChange={setColumn}
          />
          <div className="grid grid-cols-2 gap-3">
            <NumberInput label="From" value={from} onChange={setFrom} />
            <NumberInput
              label="To"
              value={to}
              onChange={setTo}
              {...(isBackwards ? { error: 'Below the lower bound' } : {})}
            />
          </div>
          <p className="text-xs text-slate-400">{hint}</p>
          <Button type="submit" variant="primary" block disabled={isEmpty || isBackwards}>
            Add Filter
          </Button>
        </form>
      )}
    </Popover>
  );
}
