import { Download } from 'lucide-react';
import { IconButton } from '@/components/common/IconButton';
import { useRequest } from '@/hooks/useRequest';
import { featureExchange } from '@/services/featureExchange';
import { download } from '@/utils/files';
import { formatBytes, formatDateTime, formatInteger } from '@/utils/format';

const LISTED = 5;

interface ExportListProps {
  trainingId: string;
  /** Changes when an export has got further, so that the list is read again. */
  turn: string;
}

/** The files that were written lately. */
export function ExportList({ trainingId, turn }: ExportListProps) {
  const { data } = useRequest(`exports ${trainingId} ${turn}`, (signal) =>
    featureExchange.list(trainingId, signal),
  );
  if (!data || data.length === 0) return null;
  return (
    <ul aria-label="Written files" className="space-y-1 border-t border-slate-800 pt-3 text-sm">
      {data.slice(0, LISTED).map((file) => (
        <li key={file.job_id} className="flex items-center justify-between gap-3">
          <span className="min-w-0">
            <span className="block truncate text-slate-200" title={file.file_name}>
              {formatInteger(file.n_features)} features, {file.format}
            </span>
            <span className="block text-xs text-slate-400">
              {formatBytes(file.size_bytes)} ·{' '}
              {file.is_available ? `kept until ${formatDateTime(file.expires_at)}` : 'deleted'}
            </span>
          </span>
          <IconButton
            label={`Download ${file.file_name}`}
            icon={Download}
            tone="blue"
            disabled={!file.is_available}
            onClick={() => download(featureExchange.fileUrl(file.job_id), file.file_name)}
          />
        </li>
      ))}
    </ul>
  );
}
