import { useEffect } from 'react';
import { jobService } from '@/services/jobService';
import { realtime } from '@/services/websocket';
import { useConnectionStore } from '@/stores/connectionStore';
import { selectLiveJobs, useJobStore } from '@/stores/jobStore';
import { SILENCE_MS } from '@/utils/constants';

/**
 * Notices events that were lost while the socket stayed, as when the broker was away.
 *
 * While a job lives and nothing is heard for a while, the list of jobs is asked for. When the server
 * knows more than the page, everything shown is fetched again, as after a reconnect.
 */
export function useMissedEvents(): void {
  useEffect(() => {
    const timer = setInterval(() => void askWhenSilent(), SILENCE_MS / 2);
    return () => clearInterval(timer);
  }, []);
}

async function askWhenSilent(): Promise<void> {
  const { status, markLost } = useConnectionStore.getState();
  const known = useJobStore.getState();
  const isSilent = Date.now() - realtime.heardAt > SILENCE_MS;
  if (status !== 'connected' || !isSilent || selectLiveJobs(known).length === 0) return;
  const { items } = await jobService.list().catch(() => ({ items: [] }));
  const isNews = items.some((job) => (known.byId[job.id]?.seq ?? -1) < job.seq);
  if (isNews && Date.now() - realtime.heardAt > SILENCE_MS) markLost();
}
