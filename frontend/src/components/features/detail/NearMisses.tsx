import { Target } from 'lucide-react';
import { EmptyState } from '@/components/common/EmptyState';
import { Fetched } from '@/components/common/Fetched';
import { useRequest } from '@/hooks/useRequest';
import { featureService } from '@/services/featureService';
import { ExampleCard, type ExamplesProps } from './ExampleCard';
import { ExamplesSkeleton } from './StrongestExamples';

const SHOWN = 50;

/** Contexts in which the feature almost fired: what it tells apart from what it is about. */
export function NearMisses({ featureId, datasetName }: ExamplesProps) {
  const request = useRequest(`misses ${featureId}`, (signal) =>
    featureService.examples(featureId, SHOWN, 'near_miss', signal),
  );
  return (
    <Fetched {...request} skeleton={<ExamplesSkeleton />}>
      {(examples) =>
        examples.length === 0 ? (
          <EmptyState
            icon={Target}
            title="No near misses were kept"
            hint="With some activations a latent does not say how close it came."
          />
        ) : (
          <>
            <p className="text-sm text-slate-400">
              The underlined token came closest to firing without doing so, the closest first.
            </p>
            <ol className="space-y-3">
              {examples.map((example, index) => (
                <ExampleCard
                  key={`${example.document}:${example.rank}`}
                  example={example}
                  number={index + 1}
                  max={1}
                  datasetName={datasetName}
                />
              ))}
            </ol>
          </>
        )
      }
    </Fetched>
  );
}
