import { Bar } from '@/components/common/Bar';
import type { RelatedFeature } from '@/types/feature.types';
import { formatDecimal, formatInteger } from '@/utils/format';

type Measure = 'pearson' | 'jaccard' | 'pmi' | 'together' | 'cosine';

export interface RelatedColumn {
  key: Measure;
  label: string;
  digits: number;
  /** Drawn as a bar of 0 to 1 beside the figure. */
  isBar?: boolean;
}

interface RelatedTableProps {
  /** Names the table. */
  label: string;
  features: readonly RelatedFeature[];
  columns: readonly RelatedColumn[];
  onOpen: (id: number) => void;
  empty: string;
}

/** Other features with what connects them; a row opens the other one. */
export function RelatedTable({ label, features, columns, onOpen, empty }: RelatedTableProps) {
  if (features.length === 0) return <p className="text-sm text-slate-400">{empty}</p>;
  return (
    <table aria-label={label} className="w-full table-fixed text-sm">
      <thead className="text-left text-xs text-slate-400">
        <tr>
          <th scope="col" className="py-2 font-medium">
            Feature
          </th>
          {columns.map(({ key, label: name, isBar }) => (
            <th
              key={key}
              scope="col"
              className={`py-2 text-right font-medium ${isBar ? 'w-44' : 'w-24'}`}
            >
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {features.map((feature) => (
          <tr key={feature.neuron_index} className="border-t border-slate-800">
            <td className="truncate py-2 pr-3">
              <Opener feature={feature} onOpen={onOpen} />
            </td>
            {columns.map((column) => (
              <td key={column.key} className="py-2 text-right font-mono tabular-nums">
                <Cell value={feature[column.key]} column={column} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface OpenerProps {
  feature: Pick<RelatedFeature, 'id' | 'neuron_index' | 'name'>;
  onOpen: (id: number) => void;
}

/** Number and label of a feature, as a button where the feature was measured. */
export function Opener({ feature, onOpen }: OpenerProps) {
  const { id, neuron_index: index, name } = feature;
  const text = (
    <>
      <span className="mr-2 font-mono text-slate-400">#{index}</span>
      {name ?? <i className="text-slate-400">No label</i>}
    </>
  );
  if (id === null) return text;
  return (
    <button
      type="button"
      title={name ?? undefined}
      className="max-w-full truncate rounded text-left text-slate-200 hover:text-emerald-300"
      onClick={() => onOpen(id)}
    >
      {text}
    </button>
  );
}

function Cell({ value, column }: { value: number | null; column: RelatedColumn }) {
  const text = column.digits === 0 ? formatInteger(value) : formatDecimal(value, column.digits);
  if (!column.isBar) return text;
  return (
    <span className="flex items-center justify-end gap-3">
      <Bar share={value ?? 0} fill="bg-purple-500" className="w-24" />
      <span className="w-12 text-purple-300">{text}</span>
    </span>
  );
}
