import { ErrorBox } from '@/components/common/ErrorBox';
import { Skeleton } from '@/components/common/Skeleton';
import { Tile } from '@/components/common/Tile';
import { useRequest } from '@/hooks/useRequest';
import { saeService } from '@/services/saeService';
import type { ParityReport, Sae } from '@/types/sae.types';
import type { Training } from '@/types/training.types';
import { formatDecimal, formatInteger, formatSignificant } from '@/utils/format';

const MEASURED_ON = { extraction: 'stored activations', text: 'text read for it' } as const;

/** A repository with its folder and version, or a path of this machine. */
function sourceOf(origin: Sae['origin']): string {
  if (!origin) return 'an unknown place';
  if (typeof origin.path === 'string') return origin.path;
  const place = [origin.repo_id, origin.subfolder].filter(Boolean).join('/');
  return typeof origin.revision === 'string' ? `${place} @ ${origin.revision}` : place;
}

/** Where an imported dictionary comes from, and that it computes what its source defines. */
export function ImportProof({ training }: { training: Training }) {
  const { data, error, again } = useRequest(`sae ${training.id}`, (signal) =>
    saeService.get(training.id, signal),
  );
  if (error) {
    return <ErrorBox problem={error} action={{ label: 'Try again', onClick: again }} />;
  }
  if (!data) return <Skeleton className="h-28" />;
  return (
    <section aria-label="Proof of the import" className="space-y-3">
      <h5 className="text-sm font-medium text-slate-300">Compared with Its Source</h5>
      <p className="truncate text-xs text-slate-400">
        From <span className="font-mono text-slate-300">{sourceOf(data.origin)}</span>
      </p>
      {data.import_parity && <Figures parity={data.import_parity} />}
    </section>
  );
}

function Figures({ parity }: { parity: ParityReport }) {
  const tokens = `${formatInteger(parity.n_tokens)} tokens of ${MEASURED_ON[parity.measured_on]}`;
  return (
    <div className="grid grid-cols-2 gap-4 lg:grid-cols-4">
      <Tile
        label="Same latents fire"
        value={parity.active_sets_equal ? 'Yes' : 'No'}
        tone={parity.active_sets_equal ? 'emerald' : 'red'}
        note={tokens}
        help="Whether on every one of these tokens the same latents are above zero as by the source's own definition."
      />
      <Tile
        label="Largest difference"
        value={formatSignificant(parity.max_latent_difference)}
        note={`largest latent ${formatSignificant(parity.max_latent)}`}
        help="Of any latent from the source's own definition, both computed in float64."
      />
      <Tile
        label="FVU"
        value={formatDecimal(parity.fvu, 4)}
        note={`by its source ${formatDecimal(parity.fvu_source, 4)}`}
        help="Share of the variance of these activations that the reconstruction leaves unexplained: as it is used here in float32, and by the source's own definition in float64."
      />
      <Tile
        label="L0"
        value={formatDecimal(parity.l0, 1)}
        tone="blue"
        note="latents per token"
        help="Mean number of latents above zero on these tokens."
      />
    </div>
  );
}
