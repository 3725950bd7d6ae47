import { Card } from '@/components/common/Card';
import { CopyButton } from '@/components/common/CopyButton';
import type { SystemInfo } from '@/types/system.types';

/** What runs, in which version: what a report of a fault needs. */
export function VersionTable({ info }: { info: SystemInfo }) {
  const rows = [
    ['MechInterp Studio', info.version],
    ['Platform', info.platform],
    ['Python', info.python],
    ...Object.entries(info.packages),
  ];
  return (
    <Card label="Versions">
      <div className="mb-3 flex items-center justify-between">
        <h3 className="font-medium">Versions</h3>
        <CopyButton label="Copy versions" text={rows.map((row) => row.join(' ')).join('\n')} />
      </div>
      <dl className="space-y-2 text-sm">
        {rows.map(([name, version]) => (
          <div key={name} className="flex justify-between gap-4">
            <dt className="shrink-0 text-slate-400">{name}</dt>
            <dd className="min-w-0 truncate font-mono text-slate-200" title={version}>
              {version}
            </dd>
          </div>
        ))}
      </dl>
    </Card>
  );
}
