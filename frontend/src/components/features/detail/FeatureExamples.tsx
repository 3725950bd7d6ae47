import { useState } from 'react';
import { Segmented } from '@/components/common/Segmented';
import { useUrlChoice } from '@/hooks/useUrlState';
import type { ExamplesProps } from './ExampleCard';
import { IntervalExamples } from './IntervalExamples';
import { NearMisses } from './NearMisses';
import { StrongestExamples } from './StrongestExamples';

const KINDS = [
  { value: 'top', label: 'Strongest' },
  { value: 'intervals', label: 'By strength' },
  { value: 'near_miss', label: 'Near misses' },
] as const;

/** Contexts of the feature: the strongest, some of every strength, and those where it almost fired. */
export function FeatureExamples(props: ExamplesProps) {
  const [kind, setKind] = useUrlChoice('fexamples', ['top', 'intervals', 'near_miss']);
  const [isPerExample, setIsPerExample] = useState(false);
  return (
    <div className="space-y-4">
      <Segmented label="Which contexts" options={KINDS} value={kind} onChange={setKind} />
      {kind === 'top' && (
        <StrongestExamples {...props} isPerExample={isPerExample} onPerExample={setIsPerExample} />
      )}
      {kind === 'intervals' && <IntervalExamples {...props} />}
      {kind === 'near_miss' && <NearMisses {...props} />}
    </div>
  );
}
