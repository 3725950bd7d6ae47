import { TableHead } from '@/components/common/TableHead';
import type { SweptFeature } from '@/types/steering.types';
import { formatDecimal } from '@/utils/format';
import { navigate } from '@/utils/urlState';

const COLUMNS = [
  { label: 'Feature' },
  { label: 'Unsteered', isNumber: true },
  { label: 'Steered', isNumber: true },
  { label: 'Random', isNumber: true },
];

/** Which other features the steered texts have more or less of, beside what chance changes. */
export function SideEffects({ feature }: { feature: SweptFeature }) {
  const effects = feature.side_effects;
  if (effects.length === 0) return null;
  return (
    <section aria-label="Side effects" className="space-y-2">
      <h4 className="font-medium">Side effects</h4>
      <p className="text-sm text-slate-400">
        Other features whose mean activation over the texts changed most. A random direction of the
        same length changes some too; what it does stands beside.
      </p>
      <div className="relative overflow-x-auto" tabIndex={0}>
        <table className="w-full min-w-[34rem] text-sm">
          <caption className="sr-only">Mean activation of other features</caption>
          <TableHead columns={COLUMNS} />
          <tbody className="divide-y divide-slate-800">
            {effects.map((effect) => (
              <tr key={effect.neuron_index}>
                <th scope="row" className="max-w-80 truncate py-1.5 text-left font-normal">
                  <FeatureLink {...effect} />
                </th>
                <Value value={effect.unsteered} />
                <Value value={effect.steered} isRaised={effect.steered > effect.unsteered} />
                <Value value={effect.random} />
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

type LinkProps = Pick<SweptFeature['side_effects'][number], 'feature_id' | 'neuron_index' | 'name'>;

function FeatureLink({ feature_id: id, neuron_index: index, name }: LinkProps) {
  const text = (
    <>
      <span className="font-mono text-slate-400">#{index}</span> {name ?? <i>No label</i>}
    </>
  );
  if (id === null) return text;
  return (
    <button
      type="button"
      className="text-slate-100 hover:text-emerald-400"
      onClick={() => navigate({ tab: 'features', feature: id })}
    >
      {text}
    </button>
  );
}

function Value({ value, isRaised }: { value: number | null; isRaised?: boolean }) {
  const color =
    isRaised === undefined ? 'text-slate-300' : isRaised ? 'text-blue-300' : 'text-orange-300';
  return (
    <td className={`py-1.5 text-right tabular-nums ${color}`}>
      {isRaised === undefined ? '' : isRaised ? '↑ ' : '↓ '}
      {formatDecimal(value, 3)}
    </td>
  );
}
