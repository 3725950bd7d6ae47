import { InfoTip } from '@/components/common/InfoTip';
import type { Feature } from '@/types/feature.types';
import { FIGURES } from '../featureFigures';
import type { ScoreDetail } from '../featureMetadata';

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
        <thead className="text-xs text-slate-400">
          <tr>
            <th scope="col" className="py-2 text-left font-medium">
              Figure
            </th>
            <th scope="col" className="py-2 text-right font-medium">
              Value
            </th>
            <th scope="col" className="py-2 text-right font-medium">
              95 % interval
            </th>
            <th scope="col" className="py-2 text-right font-medium">
              By chance
            </th>
          </tr>
        </thead>
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
