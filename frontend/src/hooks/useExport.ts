import { useState } from 'react';
import { saeService } from '@/services/saeService';
import type { Problem } from '@/types/api.types';
import { download } from '@/utils/files';
import { useAction } from './useAction';

export interface SaeExport {
  /** The checkpoint of that step, by default the latest, as a SAELens folder. */
  start: (step?: number) => void;
  /** What is being compared with its checkpoint now. */
  isPreparing: (step?: number) => boolean;
  isBusy: boolean;
  problem: Problem | null;
}

/** Hands out checkpoints of a dictionary, each compared with the archive before it is given. */
export function useExport(id: string): SaeExport {
  const [current, setCurrent] = useState<number>();
  const { run, isBusy, error } = useAction(async (step?: number) => {
    setCurrent(step);
    download(await saeService.prepareExport(id, step ?? null));
  });
  return {
    start: (step) => void run(step),
    isPreparing: (step) => isBusy && current === step,
    isBusy,
    problem: error,
  };
}
