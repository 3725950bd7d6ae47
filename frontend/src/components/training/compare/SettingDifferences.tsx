import { TableHead } from '@/components/common/TableHead';
import { humanize } from '@/utils/format';
import { type ComparedRun, differences, runColumns } from './comparedRuns';

/** The settings that the runs do not share. */
export function SettingDifferences({ runs }: { runs: readonly ComparedRun[] }) {
  const rows = differences(runs);
  return (
    <section aria-label="Differences of the settings">
      <h3 className="mb-3 font-medium">What they do differently</h3>
      {rows.length === 0 ? (
        <p className="text-sm text-slate-400">All settings are the same, the seed too.</p>
      ) : (
        <table className="w-full text-sm">
          <TableHead columns={[{ label: 'Setting', className: 'pr-4' }, ...runColumns(runs)]} />
          <tbody>
            {rows.map(({ name, values }) => (
              <tr key={name} className="border-t border-slate-800">
                <th scope="row" className="py-2 pr-4 text-left font-normal text-slate-300">
                  {humanize(name)}
                </th>
                {runs.map(({ training }, index) => (
                  <td key={training.id} className="px-3 py-2 text-right font-mono tabular-nums">
                    {values[index]}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
