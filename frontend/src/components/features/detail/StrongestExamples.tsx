import { Moon } from 'lucide-react';
import { EmptyState } from '@/components/common/EmptyState';
import { ErrorBox } from '@/components/common/ErrorBox';
import { SkeletonList } from '@/components/common/Skeleton';
import { Toggle } from '@/components/common/Toggle';
import { TokenLegend } from '@/components/visualizations/TokenLegend';
import { useFeatureExamples } from '@/hooks/useFeatures';
import { formatInteger } from '@/utils/format';
import { ExampleCard, type ExamplesProps } from './ExampleCard';

interface StrongestProps extends ExamplesProps {
  isPerExample: boolean;
  onPerExample: (isPerExample: boolean) => void;
}

/** The contexts in which the feature fires most, strongest first. */
export function StrongestExamples(props: StrongestProps) {
  const { featureId, datasetName, isPerExample, onPerExample } = props;
  const { value: examples, problem, refetch } = useFeatureExamples(featureId);

  if (problem) {
    return <ErrorBox problem={problem} action={{ label: 'Try again', onClick: refetch }} />;
  }
  if (!examples) return <ExamplesSkeleton />;
  const strongest = examples[0];
  if (!strongest) {
    return (
      <EmptyState
        icon={Moon}
        title="This feature never fired"
        hint="It is dead on the tokens that were measured. More tokens may wake it."
      />
    );
  }
  return (
    <div className="space-y-4">
      <div className="flex flex-wrap items-center justify-between gap-4">
        <h3 className="font-medium">
          Top Activating Contexts{' '}
          <span className="font-normal text-slate-400">({formatInteger(examples.length)})</span>
        </h3>
        <div className="flex items-center gap-6">
          {!isPerExample && <TokenLegend label="Activation" max={strongest.max_activation} />}
          <Toggle
            label="Colour each example by its own maximum"
            checked={isPerExample}
            onChange={onPerExample}
          />
        </div>
      </div>
      <ol className="space-y-3">
        {examples.map((example, index) => (
          <ExampleCard
            key={`${example.document}:${example.rank}`}
            example={example}
            number={index + 1}
            max={isPerExample ? example.max_activation : strongest.max_activation}
            datasetName={datasetName}
          />
        ))}
      </ol>
    </div>
  );
}

export function ExamplesSkeleton() {
  return (
    <div className="space-y-3">
      <SkeletonList label="Loading examples" count={5} className="h-28" />
    </div>
  );
}
