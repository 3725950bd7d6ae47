import { FileOutput } from 'lucide-react';
import { useState } from 'react';
import { Button } from '@/components/common/Button';
import { ErrorBox } from '@/components/common/ErrorBox';
import { JobProgress } from '@/components/common/JobProgress';
import { Select } from '@/components/common/Select';
import { Toggle } from '@/components/common/Toggle';
import { useAction } from '@/hooks/useAction';
import { useLatestJob } from '@/hooks/useJobs';
import { featureExchange } from '@/services/featureExchange';
import { useJobStore } from '@/stores/jobStore';
import type { FeatureExportCreate } from '@/types/feature.types';
import { isLiveJob, jobProblem } from '@/utils/jobs';
import { defaultTable, isFiltered, type TableState, toListQuery } from '../featureQuery';
import { ExportList } from './ExportList';

type Format = FeatureExportCreate['format'];

const FORMATS: readonly { value: NonNullable<Format>; label: string; hint: string }[] = [
  {
    value: 'parquet',
    label: 'Archive (Parquet)',
    hint: 'Everything with contexts; MechInterp Studio imports it again.',
  },
  { value: 'neuronpedia', label: 'Neuronpedia folder', hint: 'Features, contexts and logits.' },
  { value: 'saedashboard', label: 'SAEDashboard batch', hint: 'One batch with contexts.' },
  { value: 'csv', label: 'Table (CSV)', hint: 'Every figure, a row per feature, no contexts.' },
  { value: 'json', label: 'Table (JSON)', hint: 'The same with labels and tags.' },
];

interface ExportFormProps {
  trainingId: string;
  table: TableState;
}

/** Chooses a format and what of the table goes out; the files stand below for a day. */
export function ExportForm({ trainingId, table }: ExportFormProps) {
  const [format, setFormat] = useState<Format>('parquet');
  const hasFilter = isFiltered(table);
  const [wantsFilter, setWantsFilter] = useState(hasFilter);
  const isFilteredOnly = wantsFilter && hasFilter;
  const job = useLatestJob('feature_export', trainingId);
  const start = useAction(async () => {
    await featureExchange.start(toExport(trainingId, format, isFilteredOnly ? table : null));
    await useJobStore.getState().fetch();
  });
  const isRunning = isLiveJob(job);
  const problem = start.error ?? jobProblem(job);
  const hint = FORMATS.find(({ value }) => value === format)?.hint;

  return (
    <div className="space-y-4">
      <Select
        label="Format"
        value={format ?? ''}
        options={FORMATS}
        {...(hint ? { hint } : {})}
        onChange={(value) => setFormat(value as Format)}
      />
      <Toggle
        label="Only what the filter lets through"
        checked={isFilteredOnly}
        disabled={!hasFilter}
        onChange={setWantsFilter}
      />
      {problem && <ErrorBox problem={problem} />}
      {isRunning ? (
        <JobProgress
          label="Writing the file…"
          job={job}
          onCancel={() => void useJobStore.getState().cancel(job.id)}
        />
      ) : (
        <Button
          variant="retry"
          icon={FileOutput}
          block
          busy={start.isBusy}
          disabled={start.isBusy}
          onClick={() => void start.run()}
        >
          Write File
        </Button>
      )}
      <ExportList trainingId={trainingId} turn={job ? `${job.id} ${job.state}` : ''} />
    </div>
  );
}

function toExport(
  trainingId: string,
  format: Format,
  table: TableState | null,
): FeatureExportCreate {
  const { search, is_favorite, range, tag } = toListQuery(trainingId, table ?? defaultTable);
  return {
    training_id: trainingId,
    format,
    ...(search ? { search } : {}),
    ...(is_favorite ? { is_favorite } : {}),
    ranges: [...(range ?? [])],
    tags: [...(tag ?? [])],
  };
}
