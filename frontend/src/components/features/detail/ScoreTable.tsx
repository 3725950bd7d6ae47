import { InfoTip } from '@/components/common/InfoTip';
import { TableHead } from '@/components/common/TableHead';
import type { Feature } from '@/types/feature.types';
import { FIGURES } from '../featureFigures';
import type { ScoreDetail } from '../featureMetadata';

const COLUMNS = [
  { label: 'Figure' },
  { label: 'Value', isNumber: true },
  { label: '95 % interval', isNumber: true },
  { label: 'By chance', isNumber: true },
];

interface ScoreTableProps {
  feature: Feature;
  details: Readonly<Record<string, ScoreDetail>>;
}

/** Every measured figure with what it means, how sure it is, and what chance alone would give. */
export function ScoreTable({ feature, details }: ScoreTableProps) {
  const rows = FIGURES.map((figure) => ({
    ...figure,
    value: feature[figure.key],
    detail: details[figure.key],
    definition: feature.definitions[figure.key],
  }));
  const measured = rows.filter(({ value }) => value !== null);
  const missing = rows.filter(({ value }) => value === null);
  return (
    <section aria-label="Scores">
      <h3 className="mb-3 font-medium">All figures</h3>
      <table className="w-full text-sm">
        <TableHead columns={COLUMNS} />
        <tbody>
          {measured.map(({ key, label, value, format, detail, definition }) => (
            <tr key={key} className="border-t border-slate-800">
              <th scope="row" className="py-2 text-left font-normal text-slate-300">
                <span className="inline-flex items-center gap-1.5">
                  {label}
                  {definition && <InfoTip label={label} text={definition} />}
                </span>
              </th>
              <td className="py-2 text-right font-mono tabular-nums">{format(value)}</td>
              <td className="py-2 text-right font-mono text-slate-400 tabular-nums">
                {detail?.interval ? detail.interval.map(format).join(' – ') : ''}
              </td>
              <td className="py-2 text-right font-mono text-slate-400 tabular-nums">
                {detail?.chance == null ? '' : format(detail.chance)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {missing.length > 0 && (
        <p className="mt-3 text-sm text-slate-400">
          Not measured: {missing.map(({ label }) => label.toLowerCase()).join(', ')}.
        </p>
      )}
    </section>
  );
}
