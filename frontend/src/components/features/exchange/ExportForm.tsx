import { Download } from 'lucide-react';
import { useState } from 'react';
import { Button } from '@/components/common/Button';
import { Select } from '@/components/common/Select';
import { Toggle } from '@/components/common/Toggle';
import { exportUrl, type ExportFormat } from '@/services/featureExchange';
import { download } from '@/utils/files';
import { defaultTable, isFiltered, type TableState, toListQuery } from '../featureQuery';

const FORMATS: readonly { value: ExportFormat; label: string; hint: string }[] = [
  { value: 'csv', label: 'Table (CSV)', hint: 'Every figure, a row per feature.' },
  { value: 'json', label: 'Table (JSON)', hint: 'The same with labels and tags.' },
  {
    value: 'parquet',
    label: 'Archive (Parquet)',
    hint: 'Everything with contexts; MechInterp Studio imports it again.',
  },
  { value: 'neuronpedia', label: 'Neuronpedia folder', hint: 'Features, contexts and logits.' },
  { value: 'saedashboard', label: 'SAEDashboard batch', hint: 'One batch with contexts.' },
];

interface ExportFormProps {
  trainingId: string;
  table: TableState;
  onDone: () => void;
}

/** Chooses a format and what of the table goes out. */
export function ExportForm({ trainingId, table, onDone }: ExportFormProps) {
  const [format, setFormat] = useState<ExportFormat>('parquet');
  const hasFilter = isFiltered(table);
  const [isFilteredOnly, setIsFilteredOnly] = useState(hasFilter);
  const chosen = FORMATS.find(({ value }) => value === format);
  const query = toListQuery(trainingId, isFilteredOnly && hasFilter ? table : defaultTable);
  return (
    <div className="space-y-4">
      <Select
        label="Format"
        value={format}
        options={FORMATS}
        {...(chosen ? { hint: chosen.hint } : {})}
        onChange={(value) => setFormat(value as ExportFormat)}
      />
      <Toggle
        label="Only what the filter lets through"
        checked={isFilteredOnly && hasFilter}
        disabled={!hasFilter}
        onChange={setIsFilteredOnly}
      />
      <Button
        variant="retry"
        icon={Download}
        block
        onClick={() => {
          download(exportUrl(query, format));
          onDone();
        }}
      >
        Download
      </Button>
    </div>
  );
}
