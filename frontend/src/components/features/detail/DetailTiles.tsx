import { SkeletonList } from '@/components/common/Skeleton';
import { Tile } from '@/components/common/Tile';
import type { Feature, FeatureRow } from '@/types/feature.types';
import { formatCompact, formatDecimal, formatInteger, formatShare } from '@/utils/format';

interface DetailTilesProps {
  row: FeatureRow | null;
  detail: Feature | null;
}

/** The four figures of one feature. */
export function DetailTiles({ row, detail }: DetailTilesProps) {
  if (!row) {
    return (
      <div className="grid grid-cols-2 gap-4 lg:grid-cols-4">
        <SkeletonList label="Loading feature" count={4} className="h-[5.75rem]" />
      </div>
    );
  }
  const score = row.interpretability_score;
  return (
    <div className="grid grid-cols-2 gap-4 lg:grid-cols-4">
      <Tile
        tone="emerald"
        label="Activation frequency"
        value={formatShare(row.activation_frequency, 3)}
        note="of the tokens measured"
        help="Share of the tokens measured on which the feature is above zero."
      />
      <Tile
        tone="blue"
        label="Interpretability"
        value={formatShare(score)}
        note={score === null ? 'Not measured' : 'measured'}
        help="How well the feature's label predicts where it fires. A dash means that no score has been measured; none is made up."
      />
      <Tile
        tone="purple"
        label="Max activation"
        value={formatDecimal(row.max_activation, 3)}
        note={`mean ${formatDecimal(row.mean_activation, 3)} where it fires`}
        help="Largest and mean activation over the tokens on which the feature is above zero."
      />
      <Tile
        tone="yellow"
        label="Active tokens"
        value={formatInteger(row.n_fires)}
        note={`of ${formatCompact(detail?.n_tokens)} measured`}
        help="Tokens on which the feature is above zero."
      />
    </div>
  );
}
