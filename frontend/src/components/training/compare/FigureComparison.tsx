import { InfoTip } from '@/components/common/InfoTip';
import { TableHead } from '@/components/common/TableHead';
import type { MeasuredFigure } from '@/types/training.types';
import { formatFigure, formatInterval } from '../figures';
import { type ComparedRun, runColumns } from './comparedRuns';

interface Row {
  key: string;
  label: string;
  definition: string;
  /** In the order of the runs; undefined where a run has none. */
  cells: (MeasuredFigure | undefined)[];
}

/** The held-out figures of all runs, each with its interval, baselines among them. */
export function FigureComparison({ runs }: { runs: readonly ComparedRun[] }) {
  const rows = toRows(runs);
  return (
    <section aria-label="Held-out figures">
      <h3 className="mb-3 font-medium">Held-out figures</h3>
      {rows.length === 0 ? (
        <p className="text-sm text-slate-400">None of these runs was measured yet.</p>
      ) : (
        <div className="relative overflow-x-auto">
          <table className="w-full text-sm">
            <TableHead columns={[{ label: 'Figure', className: 'pr-4' }, ...runColumns(runs)]} />
            <tbody>
              {rows.map(({ key, label, definition, cells }) => (
                <tr key={key} className="border-t border-slate-800">
                  <th scope="row" className="py-2 pr-4 text-left font-normal text-slate-300">
                    <span className="inline-flex items-center gap-1.5">
                      {label}
                      <InfoTip label={label} text={definition} />
                    </span>
                  </th>
                  {runs.map(({ training }, index) => (
                    <td key={training.id} className="px-3 py-2 text-right tabular-nums">
                      <Cell figure={cells[index]} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Cell({ figure }: { figure: MeasuredFigure | undefined }) {
  if (!figure) return <span className="text-slate-400">–</span>;
  return (
    <>
      <span className="font-mono text-slate-100">{formatFigure(figure.value, figure.unit)}</span>
      <span className="block font-mono text-xs text-slate-400">{formatInterval(figure)}</span>
    </>
  );
}

function toRows(runs: readonly ComparedRun[]): Row[] {
  const figures = runs.map(({ training }) => training.evaluation?.figures ?? []);
  const keys = [...new Set(figures.flatMap((list) => list.map(({ key }) => key)))];
  return keys.flatMap((key) => {
    const cells = figures.map((list) => list.find((figure) => figure.key === key));
    const first = cells.find((figure) => figure !== undefined);
    return first ? [{ key, label: first.label, definition: first.definition, cells }] : [];
  });
}
