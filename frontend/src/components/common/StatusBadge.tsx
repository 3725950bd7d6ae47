import { classNames } from '@/utils/classNames';
import type { Tone } from '@/utils/constants';
import { humanize } from '@/utils/format';

const TINTS: Record<Tone, string> = {
  emerald: 'bg-emerald-500/20 border-emerald-500/30 text-emerald-400',
  blue: 'bg-blue-500/20 border-blue-500/30 text-blue-400',
  purple: 'bg-purple-500/20 border-purple-500/30 text-purple-400',
  yellow: 'bg-yellow-500/20 border-yellow-500/30 text-yellow-400',
  red: 'bg-red-500/20 border-red-500/30 text-red-400',
  slate: 'bg-slate-500/20 border-slate-500/30 text-slate-300',
};

const STATUS_TONES: Record<string, Tone> = {
  ready: 'emerald',
  completed: 'emerald',
  succeeded: 'emerald',
  training: 'emerald',
  running: 'emerald',
  downloading: 'blue',
  starting: 'blue',
  extracting: 'blue',
  initializing: 'blue',
  loading: 'yellow',
  ingesting: 'yellow',
  paused: 'yellow',
  interrupted: 'yellow',
  error: 'red',
  failed: 'red',
};

export function statusTone(status: string): Tone {
  return STATUS_TONES[status] ?? 'slate';
}

interface StatusBadgeProps {
  status: string;
  /** Shown in the status's place, such as "Queued". */
  label?: string;
}

/** The pill of a resource's or a job's status. */
export function StatusBadge({ status, label }: StatusBadgeProps) {
  return (
    <span
      className={classNames(
        'inline-flex items-center rounded-full border px-3 py-1 text-sm whitespace-nowrap',
        TINTS[statusTone(status)],
      )}
    >
      {label ?? humanize(status)}
    </span>
  );
}
