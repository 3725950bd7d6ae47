import { TableHead } from '@/components/common/TableHead';
import type { ClassFigure, ClassScores } from '@/types/feature.types';
import { formatDecimal } from '@/utils/format';
import { Opener } from '../detail/RelatedTable';

const COLUMNS = [
  { label: 'Feature' },
  { label: 'AUC', isNumber: true, className: 'w-20' },
  { label: '95 % interval', className: 'w-64 pl-6' },
  { label: 'Mean in class', isNumber: true, className: 'w-32' },
  { label: 'Mean elsewhere', isNumber: true, className: 'w-32' },
];

interface ClassTableProps {
  scores: ClassScores;
  /** Only this feature is listed; without it, all. */
  featureId: number | undefined;
  onOpen: (id: number) => void;
}

/** How well features tell one class of lines from the rest. */
export function ClassTable({ scores, featureId, onOpen }: ClassTableProps) {
  const { expected, n_expected: nExpected, n_other: nOther } = scores;
  const features = scores.features.filter(({ id }) => featureId === undefined || id === featureId);
  return (
    <section aria-label={`Class ${expected}`}>
      <h3 className="mb-2 font-medium">
        {expected}{' '}
        <span className="text-sm font-normal text-slate-400">
          {nExpected} lines against {nOther} others
        </span>
      </h3>
      <div className="relative overflow-x-auto">
        <table className="w-full min-w-3xl table-fixed text-sm">
          <TableHead columns={COLUMNS} />
          <tbody>
            {features.map((figure) => (
              <tr key={figure.neuron_index} className="border-t border-slate-800">
                <td className="truncate py-2 pr-3">
                  <Opener feature={figure} onOpen={onOpen} />
                </td>
                <td className="py-2 text-right font-mono text-emerald-400 tabular-nums">
                  {formatDecimal(figure.auc, 3)}
                </td>
                <td className="py-2 pl-6">
                  <Span figure={figure} />
                </td>
                <td className="py-2 text-right font-mono tabular-nums">
                  {formatDecimal(figure.mean_expected, 2)}
                </td>
                <td className="py-2 text-right font-mono tabular-nums">
                  {formatDecimal(figure.mean_other, 2)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** The interval on a scale of 0 to 1, with chance at its middle. */
function Span({ figure }: { figure: ClassFigure }) {
  const low = Math.max(0, figure.low);
  const high = Math.min(1, figure.high);
  return (
    <span className="flex items-center gap-3">
      <span aria-hidden className="relative h-1.5 w-24 rounded-full bg-slate-800">
        <span
          className="absolute h-full rounded-full bg-emerald-500"
          style={{ left: `${100 * low}%`, width: `${100 * (high - low)}%` }}
        />
        <span className="absolute -inset-y-1 left-1/2 w-px bg-slate-500" />
      </span>
      <span className="font-mono text-slate-300 tabular-nums">
        {formatDecimal(figure.low, 2)} – {formatDecimal(figure.high, 2)}
      </span>
    </span>
  );
}
