import { Bar } from '@/components/common/Bar';
import { TableHead } from '@/components/common/TableHead';
import { TokenHighlights } from '@/components/visualizations/TokenHighlights';
import type { ProbedFeature } from '@/types/feature.types';
import { classNames } from '@/utils/classNames';
import { formatDecimal, formatShare } from '@/utils/format';
import { Opener } from '../detail/RelatedTable';
import { aroundPeak } from '../exampleTokens';

const CONTEXT_CHARACTERS = 90;

const COLUMNS = [
  { label: 'Feature', className: 'w-64' },
  { label: 'Where' },
  { label: 'Activation', isNumber: true, className: 'w-24' },
  { label: 'Of its maximum', isNumber: true, className: 'w-40' },
  { label: 'Colour the text by it', isHidden: true, className: 'w-24' },
];

interface FiringListProps {
  firings: readonly ProbedFeature[];
  tokens: readonly string[];
  /** The feature that colours the text. */
  shown: ProbedFeature | null;
  /** The token that was picked, whose activation is listed instead of the largest. */
  position: number | null;
  onShow: (neuronIndex: number) => void;
  onOpen: (id: number) => void;
}

/** The features that fire, strongest first, each with the part of the text where it does. */
export function FiringList(props: FiringListProps) {
  const { firings, tokens, shown, position, onShow, onOpen } = props;
  if (firings.length === 0) {
    return <p className="text-sm text-slate-400">No listed feature fires here.</p>;
  }
  return (
    <div className="relative overflow-x-auto">
      <table aria-label="Features that fire" className="w-full min-w-3xl table-fixed text-sm">
        <TableHead columns={COLUMNS} />
        <tbody>
          {firings.map((firing) => {
            const isShown = firing.neuron_index === shown?.neuron_index;
            const peak = position ?? firing.position;
            return (
              <tr
                key={firing.neuron_index}
                className={classNames('border-t border-slate-800', isShown && 'bg-emerald-500/5')}
              >
                <td className="truncate py-2 pr-3">
                  <Opener feature={firing} onOpen={onOpen} />
                </td>
                <td className="truncate py-2 pr-3 text-xs text-slate-300">
                  <TokenHighlights
                    tokens={aroundPeak(withValues(tokens, firing), peak, CONTEXT_CHARACTERS)}
                    max={firing.max_activation}
                  />
                </td>
                <td className="py-2 text-right font-mono text-emerald-400 tabular-nums">
                  {formatDecimal(firing.activations[peak] ?? firing.max_activation, 2)}
                </td>
                <td className="py-2">
                  <span className="flex items-center justify-end gap-2 tabular-nums">
                    <Bar share={firing.share_of_max ?? 0} fill="bg-emerald-500" className="w-16" />
                    <span className="w-12 text-right text-slate-300">
                      {formatShare(firing.share_of_max, 0)}
                    </span>
                  </span>
                </td>
                <td className="py-2 text-right">
                  <button
                    type="button"
                    aria-pressed={isShown}
                    aria-label={`Colour the text by feature ${firing.neuron_index}`}
                    className="rounded px-2 py-1 text-xs text-slate-400 hover:bg-slate-800 hover:text-slate-100 aria-pressed:text-emerald-400"
                    onClick={() => onShow(firing.neuron_index)}
                  >
                    {isShown ? 'Shown' : 'Show'}
                  </button>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function withValues(tokens: readonly string[], firing: ProbedFeature) {
  return tokens.map((text, index) => ({ text, value: firing.activations[index] ?? 0 }));
}
