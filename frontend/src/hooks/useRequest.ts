import { useCallback, useEffect, useEffectEvent, useState } from 'react';
import { type ApiError, isAborted, toApiError } from '@/services/api';

interface Answer<T> {
  key: string;
  data: T | null;
  error: ApiError | null;
}

/**
 * One answer of the server for a key; a new key asks again and keeps the old answer until then.
 *
 * @param key Identifies the request; null asks nothing.
 */
export function useRequest<T>(key: string | null, request: (signal: AbortSignal) => Promise<T>) {
  const [answer, setAnswer] = useState<Answer<T> | null>(null);
  const [round, setRound] = useState(0);
  const ask = useEffectEvent(request);

  useEffect(() => {
    if (key === null) return undefined;
    const controller = new AbortController();
    ask(controller.signal).then(
      (data) => setAnswer({ key, data, error: null }),
      (failure: unknown) => {
        if (isAborted(failure)) return;
        setAnswer((old) => ({ key, data: old?.data ?? null, error: toApiError(failure) }));
      },
    );
    return () => controller.abort();
  }, [key, round]);

  const again = useCallback(() => setRound((n) => n + 1), []);
  return {
    data: answer?.data ?? null,
    error: answer?.key === key ? answer.error : null,
    isLoading: key !== null && answer?.key !== key,
    again,
  };
}
