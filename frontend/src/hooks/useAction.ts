import { useCallback, useState } from 'react';
import { type ApiError, toApiError } from '@/services/api';

export interface Action<A extends unknown[]> {
  /** Resolves to whether it worked. */
  run: (...args: A) => Promise<boolean>;
  isBusy: boolean;
  /** Why the last run failed; null after a success and while running. */
  error: ApiError | null;
  clear: () => void;
}

/** A request that a button starts: busy while it runs, its error kept to stand beside the button. */
export function useAction<A extends unknown[]>(
  action: (...args: A) => Promise<unknown>,
): Action<A> {
  const [isBusy, setIsBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);

  const run = async (...args: A) => {
    setIsBusy(true);
    setError(null);
    try {
      await action(...args);
      return true;
    } catch (failure) {
      setError(toApiError(failure));
      return false;
    } finally {
      setIsBusy(false);
    }
  };

  const clear = useCallback(() => setError(null), []);
  return { run, isBusy, error, clear };
}
