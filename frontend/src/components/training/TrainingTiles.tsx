import { Tile } from '@/components/common/Tile';
import type { Training } from '@/types/training.types';
import {
  formatDecimal,
  formatInteger,
  formatPercent,
  formatRate,
  formatShare,
} from '@/utils/format';

/** A larger share of dead latents is worth a warning: capacity that is paid for and not used. */
const MANY_DEAD = 0.1;

/** The four figures of the newest training step. */
export function TrainingTiles({ training }: { training: Training }) {
  const latest = training.latest_metrics;
  const hasGpu = latest?.gpu_utilization != null;
  const dead = latest?.dead_neurons ?? null;
  const deadShare = dead === null || training.n_latents === 0 ? null : dead / training.n_latents;
  return (
    <div className="grid grid-cols-2 gap-4 lg:grid-cols-4">
      <Tile
        label="Loss"
        value={formatDecimal(latest?.loss, 4)}
        tone="emerald"
        help="What the optimiser stepped on in this batch: reconstruction plus auxiliary terms."
      />
      <Tile
        label="L0 Sparsity"
        value={formatDecimal(latest?.sparsity, 1)}
        tone="blue"
        help="Mean number of latents above zero per token of this batch."
      />
      <Tile
        label="Dead Neurons"
        value={formatInteger(dead)}
        note={`${formatShare(deadShare)} of ${formatInteger(training.n_latents)}`}
        tone={deadShare !== null && deadShare > MANY_DEAD ? 'red' : 'slate'}
        help="Latents that have not fired within the dead window. Red from 10 % of all latents on."
      />
      {hasGpu ? (
        <Tile label="GPU Util" value={formatPercent(latest.gpu_utilization)} tone="purple" />
      ) : (
        <Tile
          label="Speed"
          value={formatRate(latest?.tokens_per_second, 'tokens')}
          tone="purple"
          help="Training tokens per second, as measured."
        />
      )}
    </div>
  );
}
