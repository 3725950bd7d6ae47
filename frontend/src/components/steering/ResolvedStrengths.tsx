import { InfoTip } from '@/components/common/InfoTip';
import { useSteeringStore } from '@/stores/steeringStore';
import type { ResolvedFeature } from '@/types/steering.types';
import { formatDecimal, formatShare, formatSignificant } from '@/utils/format';

const COLUMNS: readonly {
  label: string;
  help: string;
  of: (feature: ResolvedFeature) => string;
}[] = [
  {
    label: 'Activation',
    help: 'What was added along the decoder row, in units of the feature’s activation.',
    of: (f) => formatSignificant(f.strength_in_activation_units),
  },
  {
    label: '× max',
    help: 'The same as multiples of the largest activation that discovery measured.',
    of: (f) => formatDecimal(f.strength_in_max_multiples, 2),
  },
  {
    label: '‖Δ‖/‖h‖',
    help: 'Mean share of the norm of the state over the steered positions of this run.',
    of: (f) => formatShare(f.strength_as_norm_fraction),
  },
  {
    label: 'KL found',
    help: '95th percentile on the calibration text, where a KL target was asked for.',
    of: (f) => (f.calibrated_kl === null ? '–' : `${formatDecimal(f.calibrated_kl, 2)} nats`),
  },
  {
    label: 'In the text',
    help: 'Mean activation as the unsteered model reads the unsteered and the steered text.',
    of: (f) =>
      `${formatSignificant(f.activation_unsteered, 2)} → ${formatSignificant(f.activation_steered, 2)}`,
  },
  {
    label: 'Achieved',
    help: 'Mean activation in the model that wrote the steered text, after the edit.',
    of: (f) => formatSignificant(f.achieved_mean),
  },
];

/** Each strength in every unit, and what became of it. */
export function ResolvedStrengths({ features }: { features: readonly ResolvedFeature[] }) {
  const { changeFeature } = useSteeringStore.getState();
  if (features.length === 0) return null;
  return (
    <section aria-label="Strengths in all units" className="space-y-2">
      <h4 className="text-sm font-medium">Strengths in all units</h4>
      <div className="relative overflow-x-auto" tabIndex={0}>
        <table className="w-full min-w-[44rem] text-sm">
          <caption className="sr-only">Strength of each feature in every unit</caption>
          <thead className="text-xs text-slate-400">
            <tr>
              <th scope="col" className="py-1 text-left font-medium">
                Feature
              </th>
              {COLUMNS.map(({ label, help }) => (
                <th key={label} scope="col" className="py-1 text-right font-medium">
                  <span className="inline-flex items-center gap-1">
                    {label}
                    <InfoTip label={label} text={help} />
                  </span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="divide-y divide-slate-800">
            {features.map((feature) => (
              <tr key={feature.id}>
                <th scope="row" className="py-1.5 text-left font-normal">
                  <span className="font-mono text-slate-400">#{feature.neuron_index}</span>{' '}
                  {feature.name}
                  {feature.calibrated_kl !== null &&
                    feature.strength_in_activation_units !== null && (
                      <button
                        type="button"
                        className="ml-3 text-xs text-emerald-400 hover:underline"
                        onClick={() =>
                          changeFeature(feature.id, {
                            unit: 'activation',
                            coefficient: rounded(feature.strength_in_activation_units),
                          })
                        }
                      >
                        keep as activation
                      </button>
                    )}
                </th>
                {COLUMNS.map(({ label, of }) => (
                  <td key={label} className="py-1.5 text-right text-slate-200 tabular-nums">
                    {of(feature)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function rounded(value: number | null): number {
  return Number((value ?? 0).toFixed(3));
}
