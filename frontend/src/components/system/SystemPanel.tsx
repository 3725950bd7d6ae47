import { Card, PageTitle } from '@/components/common/Card';
import { ErrorBox } from '@/components/common/ErrorBox';
import { SkeletonList } from '@/components/common/Skeleton';
import { Tile } from '@/components/common/Tile';
import { useSystem } from '@/hooks/useSystem';
import type { Health, SystemInfo } from '@/types/system.types';
import { formatInteger } from '@/utils/format';
import { GpuCard } from './GpuCard';
import { UsageCard } from './UsageCard';
import { VersionTable } from './VersionTable';

/** The machine: what computes, how full it is, and what runs on it. */
export function SystemPanel() {
  const { info, health, problem, refetch } = useSystem();
  return (
    <>
      <PageTitle title="System" subtitle="The machine that computes, read every few seconds." />
      <div className="space-y-6">
        {problem && (
          <ErrorBox problem={problem} action={{ label: 'Try again', onClick: refetch }} />
        )}
        {!info && !problem && (
          <div className="grid gap-4 lg:grid-cols-2">
            <SkeletonList label="Loading the machine's state" count={4} className="h-32" />
          </div>
        )}
        {info && <Machine info={info} health={health} />}
      </div>
    </>
  );
}

function Machine({ info, health }: { info: SystemInfo; health: Health | null }) {
  const { memory_info: memory, disk } = info;
  return (
    <>
      <div className="grid grid-cols-2 gap-4 lg:grid-cols-4">
        <Tile label="Device" value={info.device_name} tone="emerald" note={gpuNote(info)} />
        <Tile
          label="Processor"
          value={info.cpu_name ?? 'unknown'}
          note={`${formatInteger(info.cpu_count)} logical cores`}
        />
        <Tile label="Database" value={health?.db ?? '–'} tone={toneOf(health?.db)} />
        <Tile label="Message broker" value={health?.redis ?? '–'} tone={toneOf(health?.redis)} />
      </div>
      <div className="grid gap-4 lg:grid-cols-2">
        <UsageCard
          title="Memory"
          used={memory.total_bytes - memory.available_bytes}
          total={memory.total_bytes}
        />
        <UsageCard
          title="Disk"
          used={disk.total_bytes - disk.free_bytes}
          total={disk.total_bytes}
          note={disk.path}
        />
        {info.gpu_info.map((gpu, index) => (
          <GpuCard key={index} gpu={gpu} />
        ))}
      </div>
      <div className="grid grid-cols-1 items-start gap-4 lg:grid-cols-2">
        <ActiveJobs counts={info.workers} />
        <VersionTable info={info} />
      </div>
    </>
  );
}

function gpuNote(info: SystemInfo): string {
  const { length } = info.gpu_info;
  if (length === 0) return 'No GPU: everything runs on the processor';
  return length === 1 ? 'One GPU' : `${length} GPUs`;
}

function toneOf(state: 'connected' | 'disconnected' | undefined) {
  if (state === undefined) return 'slate';
  return state === 'connected' ? 'emerald' : 'red';
}

function ActiveJobs({ counts }: { counts: Readonly<Record<string, number>> }) {
  const entries = Object.entries(counts);
  return (
    <Card label="Running jobs by queue">
      <h3 className="mb-3 font-medium">Running jobs by queue</h3>
      {entries.length === 0 && <p className="text-sm text-slate-400">Nothing is running.</p>}
      <dl className="space-y-2 text-sm">
        {entries.map(([queue, count]) => (
          <div key={queue} className="flex justify-between gap-4">
            <dt className="text-slate-400 capitalize">{queue}</dt>
            <dd className="font-mono text-slate-200">{formatInteger(count)}</dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}
