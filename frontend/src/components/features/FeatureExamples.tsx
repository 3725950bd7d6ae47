import { useState } from 'react';
import { CopyButton } from '@/components/common/CopyButton';
import { EmptyState } from '@/components/common/EmptyState';
import { ErrorBox } from '@/components/common/ErrorBox';
import { SkeletonList } from '@/components/common/Skeleton';
import { Toggle } from '@/components/common/Toggle';
import { useFeatureExamples } from '@/hooks/useFeatures';
import type { FeatureExample } from '@/types/feature.types';
import { formatDecimal, formatInteger } from '@/utils/format';
import { Moon } from 'lucide-react';
import { TokenInspector } from '../visualizations/TokenInspector';
import { TokenLegend } from '../visualizations/TokenLegend';
import { contextTokens } from './exampleTokens';

interface FeatureExamplesProps {
  featureId: number;
  datasetName: string | null;
}

/** The contexts in which the feature fires most, strongest first. */
export function FeatureExamples({ featureId, datasetName }: FeatureExamplesProps) {
  const { value: examples, problem, refetch } = useFeatureExamples(featureId);
  const [isPerExample, setIsPerExample] = useState(false);

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
            onChange={setIsPerExample}
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

interface ExampleCardProps {
  example: FeatureExample;
  number: number;
  max: number;
  datasetName: string | null;
}

function ExampleCard({ example, number, max, datasetName }: ExampleCardProps) {
  const split = example.split === 'held_out' ? 'held out' : 'training split';
  return (
    <li className="rounded-lg border border-slate-800 bg-slate-800/30 p-4">
      <div className="mb-2 flex items-center justify-between gap-4 text-xs text-slate-400">
        <span>
          Example #{number} · {datasetName ? `${datasetName}, ` : ''}document{' '}
          {formatInteger(example.document)} · {split}
        </span>
        <span className="flex items-center gap-2">
          Max activation{' '}
          <span className="font-mono text-emerald-400">
            {formatDecimal(example.max_activation, 3)}
          </span>
          <CopyButton text={example.tokens.join('')} label={`Copy example ${number}`} />
        </span>
      </div>
      <div className="text-sm text-slate-300">
        <TokenInspector
          tokens={contextTokens(example, 4)}
          label={`Example ${number}`}
          max={max}
          breakLines
        />
      </div>
    </li>
  );
}

function ExamplesSkeleton() {
  return (
    <div className="space-y-3">
      <SkeletonList label="Loading examples" count={5} className="h-28" />
    </div>
  );
}
