import { Activity } from 'lucide-react';
import { PageTitle } from '@/components/common/Card';
import { EmptyState } from '@/components/common/EmptyState';
import { ErrorBox } from '@/components/common/ErrorBox';
import { Segmented } from '@/components/common/Segmented';
import { SkeletonList } from '@/components/common/Skeleton';
import { useActivations, useModels } from '@/hooks/useModels';
import { useDatasets } from '@/hooks/useDatasets';
import { useTrainings } from '@/hooks/useTraining';
import { useUrlChoice, useUrlState } from '@/hooks/useUrlState';
import { readRuns } from './compare/comparedRuns';
import { RunTray } from './compare/RunTray';
import { DictionaryImporter } from './DictionaryImporter';
import { ImportedCard } from './ImportedCard';
import { TrainingCard } from './TrainingCard';
import { TrainingConfig } from './TrainingConfig';

const WAYS = [
  { value: 'train', label: 'Train a Dictionary' },
  { value: 'import', label: 'Import a Dictionary' },
] as const;

type Way = (typeof WAYS)[number]['value'];

/** The Training tab: configure, start, and watch what runs; or bring in what others trained. */
export function TrainingPanel() {
  const trainings = useTrainings();
  const datasets = useDatasets();
  const models = useModels();
  const activations = useActivations();
  const [focusId] = useUrlState('training');
  const [runs] = useUrlState('runs', 'replace');
  const [way, setWay] = useUrlChoice<Way>('new_sae', ['train', 'import']);
  const compared = readRuns(runs);
  const { items, problem, fetch } = trainings;

  return (
    <>
      <PageTitle
        title="Training"
        subtitle="A sparse autoencoder learns which features the activations are made of."
        actions={<Segmented label="New dictionary" options={WAYS} value={way} onChange={setWay} />}
      />
      {way === 'train' ? (
        <TrainingConfig
          datasets={datasets.items}
          models={models.items}
          activations={activations.items}
        />
      ) : (
        <DictionaryImporter models={models.items} />
      )}
      <section aria-labelledby="trainings-heading" className="mt-8">
        <h3 id="trainings-heading" className="mb-4 text-lg font-semibold">
          Training Jobs{items && ` (${items.length})`}
        </h3>
        {problem && (
          <ErrorBox
            problem={problem}
            action={{ label: 'Try again', onClick: () => void fetch() }}
          />
        )}
        {!items && !problem && (
          <div className="grid gap-4">
            <SkeletonList label="Loading trainings" count={2} className="h-60" />
          </div>
        )}
        {items?.length === 0 && (
          <EmptyState
            icon={Activity}
            title="No training yet"
            hint="Choose activations above and press Start Training; the defaults are a recipe that works. Or import a dictionary that others trained."
          />
        )}
        <div className="space-y-6">
          {items?.map((training) =>
            training.source === 'imported' ? (
              <ImportedCard
                key={training.id}
                training={training}
                isFocused={training.id === focusId}
              />
            ) : (
              <TrainingCard
                key={training.id}
                training={training}
                isFocused={training.id === focusId}
                isCompared={compared.includes(training.id)}
              />
            ),
          )}
        </div>
        <RunTray trainings={items ?? []} />
      </section>
    </>
  );
}
