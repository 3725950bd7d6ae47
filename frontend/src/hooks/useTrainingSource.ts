import { useMemo } from 'react';
import type { Problem } from '@/types/api.types';
import type { Training } from '@/types/training.types';
import { isAnalysable } from '@/utils/trainings';
import { useTrainings } from './useTraining';
import { useUrlState } from './useUrlState';

/** The training whose features are looked at; shared by the tabs through the page's address. */
export interface TrainingSource {
  /** Those with a checkpoint that do not run, newest first. */
  trainings: readonly Training[];
  selected: Training | null;
  select: (id: string) => void;
  isLoading: boolean;
  problem: Problem | null;
  refetch: () => void;
}

export function useTrainingSource(): TrainingSource {
  const { items, problem, fetch } = useTrainings();
  const [id, setId] = useUrlState('training', 'replace');
  const trainings = useMemo(() => (items ?? []).filter(isAnalysable), [items]);
  return {
    trainings,
    selected: trainings.find((training) => training.id === id) ?? trainings[0] ?? null,
    select: setId,
    isLoading: items === null && problem === null,
    problem,
    refetch: () => void fetch(),
  };
}
