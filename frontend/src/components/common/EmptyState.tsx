import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';

interface EmptyStateProps {
  icon: LucideIcon;
  title: string;
  hint?: string;
  /** The one button that changes it. */
  action?: ReactNode;
}

export function EmptyState({ icon: Icon, title, hint, action }: EmptyStateProps) {
  return (
    <div className="flex flex-col items-center rounded-lg border border-dashed border-slate-800 px-6 py-12 text-center">
      <Icon className="mb-3 size-10 text-slate-600" aria-hidden />
      <p className="text-slate-300">{title}</p>
      {hint && <p className="mt-1 max-w-prose text-sm text-slate-400">{hint}</p>}
      {action && <div className="mt-4">{action}</div>}
    </div>
  );
}
