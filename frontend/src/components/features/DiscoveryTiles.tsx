import { Tile } from '@/components/common/Tile';
import type { InterpretableCount } from '@/hooks/useFeatures';
import {
  formatCompact,
  formatDecimal,
  formatDuration,
  formatInteger,
  formatShare,
} from '@/utils/format';
import { firingShare, type DiscoverySummary } from './discoverySummary';

const INTERPRETABLE =
  'Share of the features whose interpretability score is 0.5 or more: half of what separates ' +
  'chance from a perfect prediction of where the feature fires, by the lower end of the interval.';

interface DiscoveryTilesProps {
  summary: DiscoverySummary;
  /** Features stored of the training. */
  nStored: number;
  /** Features with a score of at least one half; null before the answer. */
  nInterpretable: InterpretableCount | null;
}

/** What discovery measured. */
export function DiscoveryTiles({ summary, nStored, nInterpretable }: DiscoveryTilesProps) {
  const { nAlive, nFeatures, nTokens, meanL0, nLabelled, seconds } = summary;
  return (
    <div className="flex flex-wrap gap-x-5 gap-y-2">
      <Tile
        isDense
        tone="emerald"
        label="Features found"
        value={formatInteger(nStored)}
        help="Latents of the dictionary whose statistics were measured."
      />
      <Tile
        isDense
        tone="purple"
        label="Firing share"
        value={formatShare(firingShare(summary))}
        note={
          nAlive === null ? undefined : `${formatInteger(nAlive)} of ${formatInteger(nFeatures)}`
        }
        help="Share of the features that fired on at least one of the tokens measured."
      />
      <Tile
        isDense
        label="Active per token"
        value={formatDecimal(meanL0, 1)}
        help="Mean number of features above zero per token (L0), over the tokens measured."
      />
      <Tile
        isDense
        label="Tokens measured"
        value={formatCompact(nTokens)}
        note={seconds === null ? undefined : `in ${formatDuration(seconds)}`}
        help="Tokens of the activation store that all figures below are taken over."
      />
      <Tile
        isDense
        tone="blue"
        label="Interpretable"
        value={typeof nInterpretable === 'number' ? formatShare(nInterpretable / nStored) : '–'}
        note={noteOf(nInterpretable, nLabelled)}
        help={INTERPRETABLE}
      />
    </div>
  );
}

/** Why there is no figure; beside one, how many features got a label. */
function noteOf(nInterpretable: InterpretableCount | null, nLabelled: number | null) {
  if (nInterpretable === 'unmeasured') return 'no scores were measured';
  if (nInterpretable === 'uncounted') return 'too many to count';
  return nLabelled === null ? undefined : `${formatInteger(nLabelled)} got a label`;
}
