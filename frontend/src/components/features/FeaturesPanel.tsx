import { Layers } from 'lucide-react';
import { Button } from '@/components/common/Button';
import { EmptyState } from '@/components/common/EmptyState';
import { ErrorBox } from '@/components/common/ErrorBox';
import { Skeleton } from '@/components/common/Skeleton';
import { useTrainingSource } from '@/hooks/useTrainingSource';
import { navigate } from '@/utils/urlState';
import { TrainingFeatures } from './TrainingFeatures';
import { TrainingFacts, TrainingSelect } from './TrainingSelect';

/** Choose a training, measure its features, look at them. */
export function FeaturesPanel() {
  const { trainings, selected, select, isLoading, problem, refetch } = useTrainingSource();
  return (
    <>
      <div className="mb-3 grid items-end gap-x-6 gap-y-3 lg:grid-cols-[1fr_22rem]">
        <div>
          <h2 className="text-2xl font-semibold">Feature Discovery</h2>
          {selected ? (
            <TrainingFacts training={selected} />
          ) : (
            <p className="mt-1 text-slate-400">
              What each latent of a trained dictionary responds to, measured on real text
            </p>
          )}
        </div>
        {trainings.length > 0 && (
          <TrainingSelect trainings={trainings} selected={selected} onSelect={select} />
        )}
      </div>
      <div className="space-y-3">
        {problem && (
          <ErrorBox problem={problem} action={{ label: 'Try again', onClick: refetch }} />
        )}
        {isLoading && <Skeleton className="h-[calc(100vh-7rem)] min-h-96" />}
        {!isLoading && !problem && trainings.length === 0 && <NoTraining />}
        {selected && (
          <TrainingFeatures key={selected.id} training={selected} onMeasured={refetch} />
        )}
      </div>
    </>
  );
}

function NoTraining() {
  return (
    <EmptyState
      icon={Layers}
      title="No training to analyse yet"
      hint="Features come out of a trained dictionary. Complete a training, or stop or pause one after its first checkpoint."
      action={
        <Button variant="primary" onClick={() => navigate({ tab: 'training' })}>
          Go to Training
        </Button>
      }
    />
  );
}
