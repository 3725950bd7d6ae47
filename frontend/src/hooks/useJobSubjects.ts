import type { Job } from '@/types/job.types';
import { subjectOf } from '@/utils/jobSubjects';
import { useDatasets } from './useDatasets';
import { useActivations, useModels } from './useModels';
import { useTrainings } from './useTraining';

/** Tells what a job works on; the name comes as soon as its list was read. */
export function useJobSubjects(): (job: Job) => string | null {
  const resources = {
    datasets: useDatasets().items,
    models: useModels().items,
    activations: useActivations().items,
    trainings: useTrainings().items,
  };
  return (job) => subjectOf(job, resources);
}
