import type { Problem } from '@/types/api.types';
import type { Estimate } from '@/types/estimate.types';
import { useDebounced } from './useDebounced';
import { useRequest } from './useRequest';

const REST_MS = 400;

interface Preflight {
  estimate: Estimate | null;
  problem: Problem | null;
  /** The estimate answers an earlier request. */
  isOld: boolean;
}

/**
 * What a request would take, asked anew whenever it has changed and rested.
 *
 * @param body The request; null while it cannot be sent.
 */
export function useEstimate<T>(
  body: T | null,
  ask: (body: T, signal: AbortSignal) => Promise<Estimate>,
): Preflight {
  const text = body === null ? null : JSON.stringify(body);
  const rested = useDebounced(text, REST_MS);
  const { data, error, isLoading } = useRequest(rested, (signal) =>
    ask(JSON.parse(rested ?? 'null') as T, signal),
  );
  const isKnown = rested !== null && error === null;
  return { estimate: isKnown ? data : null, problem: error, isOld: isLoading || rested !== text };
}
