import { ErrorBox } from '@/components/common/ErrorBox';
import { Tile } from '@/components/common/Tile';
import type { Dataset } from '@/types/dataset.types';
import {
  formatBytes,
  formatDateTime,
  formatDecimal,
  formatInteger,
  humanize,
} from '@/utils/format';
import { useDatasetStats } from './useDatasetStats';

/** What the dataset is and its first figures. */
export function DatasetOverview({ dataset }: { dataset: Dataset }) {
  const { data, error, again } = useDatasetStats(dataset);
  return (
    <div className="space-y-6">
      <div className="grid grid-cols-2 gap-4 lg:grid-cols-4">
        <Tile label="Source" value={dataset.source} />
        <Tile label="Size" value={formatBytes(dataset.size_bytes)} />
        <Tile label="Added" value={formatDateTime(dataset.created_at)} />
        <Tile label="Status" value={humanize(dataset.status)} tone="emerald" />
      </div>
      {dataset.repo_id && (
        <p className="text-sm text-slate-300">
          Repository <span className="font-mono text-slate-100">{dataset.repo_id}</span>
        </p>
      )}
      <section aria-labelledby="quick-stats">
        <h3 id="quick-stats" className="mb-3 text-lg font-semibold">
          Quick Stats
        </h3>
        {error && <ErrorBox problem={error} action={{ label: 'Try again', onClick: again }} />}
        <div className="grid gap-4 sm:grid-cols-3">
          <Tile
            label="Documents"
            value={formatInteger(dataset.n_documents)}
            tone="emerald"
            size="lg"
          />
          <Tile
            label="Average length"
            value={
              data?.mean_tokens != null
                ? formatDecimal(data.mean_tokens, 1)
                : formatDecimal(data?.mean_characters, 0)
            }
            note={data?.mean_tokens != null ? 'tokens' : 'characters'}
            tone="blue"
            size="lg"
          />
          <Tile
            label="Vocabulary"
            value={formatInteger(data?.unique_tokens)}
            note={data?.unique_tokens == null ? 'tokenize to measure' : 'distinct tokens'}
            tone="purple"
            size="lg"
          />
        </div>
      </section>
    </div>
  );
}
