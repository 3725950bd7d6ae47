import { Play, Scissors } from 'lucide-react';
import { useState } from 'react';
import { Button } from '@/components/common/Button';
import { EmptyState } from '@/components/common/EmptyState';
import { ErrorBox } from '@/components/common/ErrorBox';
import { JobProgress } from '@/components/common/JobProgress';
import { Segmented } from '@/components/common/Segmented';
import { useLiveJobOf } from '@/hooks/useJobs';
import { useLongRequest } from '@/hooks/useLongRequest';
import { featureService } from '@/services/featureService';
import { WAITING_JOB } from '@/utils/jobs';
import { AblationResult } from './AblationResult';

const CONTEXTS = ['5', '10', '25', '50'] as const;

/** Takes the feature out of the model on its strongest contexts and shows what the model loses. */
export function AblationView({ featureId }: { featureId: number }) {
  const [contexts, setContexts] = useState<(typeof CONTEXTS)[number]>('10');
  const ablation = useLongRequest((signal, count: number) =>
    featureService.ablation(featureId, count, signal),
  );
  const job = useLiveJobOf('feature_ablate');
  const start = () => ablation.run(Number(contexts));
  const { data, error, isBusy } = ablation;

  return (
    <div className="space-y-6">
      <div className="flex flex-wrap items-center gap-4">
        <Segmented
          label="Contexts"
          options={CONTEXTS.map((value) => ({ value, label: `${value} contexts` }))}
          value={contexts}
          onChange={setContexts}
        />
        <Button variant="primary" icon={Play} busy={isBusy} onClick={start}>
          {data ? 'Ablate Again' : 'Run Ablation'}
        </Button>
      </div>
      {isBusy && (
        <JobProgress
          label="Reading its contexts with and without the feature…"
          job={job ?? WAITING_JOB}
          onCancel={ablation.cancel}
        />
      )}
      {error && <ErrorBox problem={error} action={{ label: 'Try again', onClick: start }} />}
      {data && <AblationResult ablation={data} />}
      {!data && !isBusy && !error && (
        <EmptyState
          icon={Scissors}
          title="Not ablated yet"
          hint="The model reads the feature's strongest contexts twice, once without the feature. The difference is what the feature is worth to the model there."
        />
      )}
    </div>
  );
}
