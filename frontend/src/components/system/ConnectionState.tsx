import { useState } from 'react';
import { useLiveFetch } from '@/hooks/usePoll';
import { systemService } from '@/services/systemService';
import { useConnectionStore } from '@/stores/connectionStore';
import type { ConnectionStatus, SystemInfo } from '@/types/system.types';
import { classNames } from '@/utils/classNames';
import { navigate } from '@/utils/urlState';

const LOOK: Record<ConnectionStatus, { dot: string; label: string }> = {
  connected: { dot: 'bg-emerald-400', label: 'API Connected' },
  connecting: { dot: 'bg-yellow-400 animate-pulse', label: 'Connecting…' },
  away: { dot: 'bg-red-400', label: 'Reconnecting…' },
};

/** The header's connection dot and the name of the device that computes. */
export function ConnectionState() {
  const status = useConnectionStore((state) => state.status);
  const stale = useConnectionStore((state) => state.stale);
  const [info, setInfo] = useState<SystemInfo | null>(null);
  useLiveFetch(() =>
    systemService.info().then(setInfo, () => {
      // The dot already says that the server is away; the next reconnect asks again.
    }),
  );

  const { dot, label } = LOOK[status];
  return (
    <div className="flex items-center gap-4 text-sm whitespace-nowrap text-slate-300">
      {stale && (
        <span
          className="rounded-full border border-yellow-500/30 bg-yellow-500/20 px-3 py-1 text-yellow-400"
          title="Live updates are away; the page asks the server every two seconds instead."
        >
          May be out of date
        </span>
      )}
      <span role="status" className="flex items-center gap-2">
        <span aria-hidden className={classNames('size-2 rounded-full', dot)} />
        {label}
      </span>
      {info && (
        <button
          type="button"
          title="Device, memory, disk and versions"
          onClick={() => navigate({ tab: 'system' })}
          className="hidden max-w-56 truncate rounded-lg border border-slate-700 px-3 py-1 text-slate-300 transition-colors hover:bg-slate-800 md:inline"
        >
          {info.device_name}
        </button>
      )}
    </div>
  );
}
