import { Download, Upload } from 'lucide-react';
import { Popover } from '@/components/common/Popover';
import type { TableState } from '../featureQuery';
import { ExportForm } from './ExportForm';
import { ImportForm } from './ImportForm';

/** Features leave and come in files: tables, contexts, whole archives. */
export function FeatureExchange({ trainingId, table }: { trainingId: string; table: TableState }) {
  return (
    <div className="flex gap-2">
      <Popover label="Import" icon={Upload} className="w-md">
        {() => <ImportForm trainingId={trainingId} />}
      </Popover>
      <Popover label="Export" icon={Download} className="w-md">
        {() => <ExportForm trainingId={trainingId} table={table} />}
      </Popover>
    </div>
  );
}
