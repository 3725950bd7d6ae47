import { useEffect, useEffectEvent, useState } from 'react';
import { toApiError } from '@/services/api';
import { systemService } from '@/services/systemService';
import type { Problem } from '@/types/api.types';
import type { Health, SystemInfo } from '@/types/system.types';

const READ_EVERY_MS = 4_000;

interface SystemState {
  info: SystemInfo | null;
  health: Health | null;
  problem: Problem | null;
}

/** The machine's state, read again every few seconds while it is looked at. */
export function useSystem() {
  const [state, setState] = useState<SystemState>({ info: null, health: null, problem: null });
  const read = useEffectEvent(async () => {
    try {
      const [info, health] = await Promise.all([systemService.info(), systemService.health()]);
      setState({ info, health, problem: null });
    } catch (error) {
      setState((old) => ({ ...old, problem: toApiError(error) }));
    }
  });
  const [round, setRound] = useState(0);

  useEffect(() => {
    void read();
    const timer = setInterval(() => void read(), READ_EVERY_MS);
    return () => clearInterval(timer);
  }, [round]);

  return { ...state, refetch: () => setRound(round + 1) };
}
