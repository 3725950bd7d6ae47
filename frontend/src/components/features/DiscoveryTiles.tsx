import { Tile } from '@/components/common/Tile';
import {
  formatCompact,
  formatDecimal,
  formatDuration,
  formatInteger,
  formatShare,
} from '@/utils/format';
import { firingShare, type DiscoverySummary } from './discoverySummary';

const NOT_SCORED =
  'How well a label predicts where the feature fires. No score has been measured for this ' +
  'training, so none is shown.';

interface DiscoveryTilesProps {
  summary: DiscoverySummary;
  /** Features stored of the training. */
  nStored: number;
}

/** What discovery measured. */
export function DiscoveryTiles({ summary, nStored }: DiscoveryTilesProps) {
  const { nAlive, nFeatures, nTokens, meanL0, seconds } = summary;
  return (
    <div className="grid grid-cols-2 gap-4 lg:grid-cols-5">
      <Tile
        tone="emerald"
        label="Features found"
        value={formatInteger(nStored)}
        help="Latents of the dictionary whose statistics were measured."
      />
      <Tile
        tone="purple"
        label="Firing share"
        value={formatShare(firingShare(summary))}
        note={
          nAlive === null ? undefined : `${formatInteger(nAlive)} of ${formatInteger(nFeatures)}`
        }
        help="Share of the features that fired on at least one of the tokens measured."
      />
      <Tile
        tone="blue"
        label="Active per token"
        value={formatDecimal(meanL0, 1)}
        help="Mean number of features above zero per token (L0), over the tokens measured."
      />
      <Tile
        label="Tokens measured"
        value={formatCompact(nTokens)}
        note={seconds === null ? undefined : `in ${formatDuration(seconds)}`}
        help="Tokens of the activation store that all figures below are taken over."
      />
      <Tile label="Interpretability" value="–" note="Not measured" help={NOT_SCORED} />
    </div>
  );
}
