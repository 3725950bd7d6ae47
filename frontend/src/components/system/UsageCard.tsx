import { Card } from '@/components/common/Card';
import { ProgressBar } from '@/components/common/ProgressBar';
import { formatBytes, formatPercent } from '@/utils/format';

interface UsageCardProps {
  title: string;
  used: number;
  total: number;
  /** What is measured, such as a path. */
  note?: string;
}

const TIGHT = 0.9;

/** How much of something limited is taken. */
export function UsageCard({ title, used, total, note }: UsageCardProps) {
  const share = total > 0 ? used / total : 0;
  const isTight = share > TIGHT;
  return (
    <Card label={title} className="space-y-3">
      <div className="flex items-baseline justify-between gap-4">
        <h3 className="font-medium">{title}</h3>
        <span className={isTight ? 'text-yellow-400' : 'text-slate-300'}>
          {formatPercent(100 * share)} used
        </span>
      </div>
      <ProgressBar label={`${title} used`} value={100 * share} tone={isTight ? 'yellow' : 'blue'} />
      <p className="flex flex-wrap justify-between gap-x-4 text-sm text-slate-400 tabular-nums">
        <span>
          {formatBytes(total - used)} free of {formatBytes(total)}
        </span>
        {note && <span className="truncate font-mono text-xs">{note}</span>}
      </p>
    </Card>
  );
}
