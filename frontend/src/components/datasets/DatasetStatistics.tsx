import { Skeleton } from '@/components/common/Skeleton';
import { ErrorBox } from '@/components/common/ErrorBox';
import { Tile } from '@/components/common/Tile';
import type { Dataset, DatasetStats } from '@/types/dataset.types';
import { formatDecimal, formatInteger, formatShare } from '@/utils/format';
import { LengthBars } from './LengthBars';
import { useDatasetStats } from './useDatasetStats';

/** Figures measured at import and at the latest tokenisation. */
export function DatasetStatistics({ dataset }: { dataset: Dataset }) {
  const { data, error, again } = useDatasetStats(dataset);
  if (error) return <ErrorBox problem={error} action={{ label: 'Try again', onClick: again }} />;
  if (!data) return <Skeleton className="h-96" />;
  return (
    <div className="space-y-8">
      <div className="grid grid-cols-2 gap-4 lg:grid-cols-4">
        <Tile
          label="Total documents"
          value={formatInteger(data.n_documents)}
          tone="emerald"
          size="lg"
        />
        <Tile
          label="Total tokens"
          value={formatInteger(data.n_tokens)}
          note={data.n_tokens === null ? 'tokenize to measure' : undefined}
          tone="blue"
          size="lg"
        />
        <Tile
          label="Tokens per document"
          value={formatDecimal(data.mean_tokens, 1)}
          note={data.mean_tokens === null ? 'tokenize to measure' : 'mean'}
          tone="purple"
          size="lg"
        />
        <Tile
          label="Unique tokens"
          value={formatInteger(data.unique_tokens)}
          note={data.unique_tokens === null ? 'tokenize to measure' : undefined}
          tone="yellow"
          size="lg"
        />
      </div>
      {data.token_histogram && (
        <LengthBars title="Document length in tokens" buckets={data.token_histogram} />
      )}
      <LengthBars
        title="Document length in characters"
        buckets={data.character_histogram}
        note={`Min ${formatInteger(data.min_characters)} · Median ${formatInteger(data.median_characters)} · Max ${formatInteger(data.max_characters)}`}
      />
      <SplitTiles stats={data} />
    </div>
  );
}

function SplitTiles({ stats }: { stats: DatasetStats }) {
  const { n_train_documents: train, n_held_out_documents: heldOut } = stats;
  if (train === null || heldOut === null) return null;
  const total = Math.max(1, train + heldOut);
  return (
    <section aria-labelledby="split-heading">
      <h3 id="split-heading" className="mb-3 text-lg font-semibold">
        Split
      </h3>
      <div className="grid gap-4 sm:grid-cols-2">
        <Tile
          label="Training documents"
          value={formatInteger(train)}
          note={formatShare(train / total)}
          tone="emerald"
        />
        <Tile
          label="Held-out documents"
          value={formatInteger(heldOut)}
          note={formatShare(heldOut / total)}
          tone="blue"
          help="Kept out of training, chosen by a hash of their text; all measured figures are of these."
        />
      </div>
    </section>
  );
}
