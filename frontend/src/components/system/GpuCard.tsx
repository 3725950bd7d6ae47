import { Card } from '@/components/common/Card';
import { ProgressBar } from '@/components/common/ProgressBar';
import type { SystemInfo } from '@/types/system.types';
import { formatBytes, formatPercent } from '@/utils/format';

/** One GPU: how busy and how full; what its driver does not tell stays a dash. */
export function GpuCard({ gpu }: { gpu: SystemInfo['gpu_info'][number] }) {
  const { memory_used_bytes: used, memory_total_bytes: total, utilization_percent: busy } = gpu;
  const share = used !== null && total ? (100 * used) / total : null;
  const name = gpu.name ?? 'GPU';
  return (
    <Card label={name} className="space-y-3">
      <h3 className="font-medium">{name}</h3>
      <Row label="Busy" value={busy} text={formatPercent(busy)} />
      <Row label="Memory" value={share} text={`${formatBytes(used)} of ${formatBytes(total)}`} />
    </Card>
  );
}

function Row({ label, value, text }: { label: string; value: number | null; text: string }) {
  return (
    <div className="space-y-1">
      <p className="flex justify-between text-sm text-slate-300 tabular-nums">
        <span>{label}</span>
        <span>{text}</span>
      </p>
      <ProgressBar label={label} value={value ?? 0} tone="purple" />
    </div>
  );
}
