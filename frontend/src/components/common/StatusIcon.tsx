import { Activity, AlertTriangle, CheckCircle, CircleStop, Loader2, Pause } from 'lucide-react';

const ICONS = {
  ready: [CheckCircle, 'text-emerald-400'],
  completed: [CheckCircle, 'text-emerald-400'],
  downloading: [Loader2, 'text-blue-400 animate-spin'],
  initializing: [Loader2, 'text-blue-400 animate-spin'],
  queued: [Loader2, 'text-slate-400 animate-spin'],
  loading: [Activity, 'text-yellow-400 animate-pulse'],
  ingesting: [Activity, 'text-yellow-400 animate-pulse'],
  extracting: [Activity, 'text-emerald-400 animate-pulse'],
  training: [Activity, 'text-emerald-400 animate-pulse'],
  paused: [Pause, 'text-yellow-400'],
  stopped: [CircleStop, 'text-slate-400'],
  error: [AlertTriangle, 'text-red-400'],
} as const;

export type IconStatus = keyof typeof ICONS;

/** The icon beside a status pill. */
export function StatusIcon({ status }: { status: IconStatus }) {
  const [Icon, className] = ICONS[status];
  return <Icon className={`size-5 shrink-0 ${className}`} aria-hidden />;
}
