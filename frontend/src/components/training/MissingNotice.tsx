import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button } from '@/components/common/Button';

interface MissingNoticeProps {
  /** What has to be there first. */
  children: ReactNode;
  /** Where it is made. */
  action: { label: string; icon: LucideIcon; onClick: () => void };
}

/** Says what a form cannot do without, and leads to where it is made. */
export function MissingNotice({ children, action }: MissingNoticeProps) {
  return (
    <div className="flex flex-wrap items-center justify-between gap-4 rounded-lg border border-yellow-500/30 bg-yellow-500/10 p-4 text-sm">
      <p className="text-yellow-200">{children}</p>
      <Button variant="purple" size="sm" icon={action.icon} onClick={action.onClick}>
        {action.label}
      </Button>
    </div>
  );
}
