import { ChevronRight, Star } from 'lucide-react';
import { useState } from 'react';
import { Button } from '@/components/common/Button';
import { InfoTip } from '@/components/common/InfoTip';
import type { SweepRow, SweptFeature } from '@/types/steering.types';
import { classNames } from '@/utils/classNames';
import { formatDecimal } from '@/utils/format';
import { FIGURES, isBestRow, strengthText } from './sweepViews';

interface SweepTableProps {
  feature: SweptFeature;
  definitions: Readonly<Record<string, string>>;
  scoreDefinition: string;
  /** Takes a strength over into the comparison. */
  onUse: (row: SweepRow) => void;
}

/** Every strength with its figures; a row opens one of its texts. */
export function SweepTable({ feature, definitions, scoreDefinition, onUse }: SweepTableProps) {
  return (
    <div className="relative overflow-x-auto rounded-lg border border-slate-800" tabIndex={0}>
      <table className="w-full min-w-[46rem] text-sm">
        <caption className="sr-only">Strengths of feature {feature.neuron_index}</caption>
        <thead className="bg-slate-900 text-xs text-slate-400">
          <tr>
            <th scope="col" className="px-3 py-2 text-left font-medium">
              Strength
            </th>
            <Heading label="Score" help={scoreDefinition} />
            {FIGURES.map(({ label, definition }) => (
              <Heading key={label} label={label} help={definitions[definition]} />
            ))}
            <th scope="col" className="px-3 py-2">
              <span className="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody className="divide-y divide-slate-800">
          {feature.rows.map((row) => (
            <StrengthRow
              key={`${row.strength}/${row.kl_target}`}
              row={row}
              isBest={isBestRow(feature, row)}
              onUse={() => onUse(row)}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Heading({ label, help }: { label: string; help: string | undefined }) {
  return (
    <th scope="col" className="px-3 py-2 text-right font-medium">
      <span className="inline-flex items-center gap-1">
        {label}
        {help && <InfoTip label={label} text={help} />}
      </span>
    </th>
  );
}

interface StrengthRowProps {
  row: SweepRow;
  isBest: boolean;
  onUse: () => void;
}

function StrengthRow({ row, isBest, onUse }: StrengthRowProps) {
  const [isOpen, setIsOpen] = useState(false);
  const name = row.is_unsteered
    ? 'no steering'
    : strengthText(row.strength, row.unit, row.kl_target);
  return (
    <>
      <tr className={classNames(isBest ? 'bg-emerald-500/10' : 'hover:bg-slate-800/40')}>
        <th scope="row" className="px-3 py-2 text-left font-normal">
          <button
            type="button"
            aria-expanded={isOpen}
            onClick={() => setIsOpen(!isOpen)}
            className="inline-flex items-center gap-2 font-mono text-slate-100"
          >
            <ChevronRight
              aria-hidden
              className={classNames('size-4 text-slate-400', isOpen && 'rotate-90')}
            />
            {name}
            {isBest && (
              <>
                <Star className="size-4 fill-emerald-400 text-emerald-400" aria-hidden />
                <span className="sr-only">chosen</span>
              </>
            )}
          </button>
        </th>
        <td className="px-3 py-2 text-right text-emerald-300 tabular-nums">
          {formatDecimal(row.score, 3)}
        </td>
        {FIGURES.map(({ label, of }) => (
          <td key={label} className="px-3 py-2 text-right text-slate-200 tabular-nums">
            {of(row.figures)}
          </td>
        ))}
        <td className="px-3 py-2 text-right">
          {!row.is_unsteered && (
            <Button size="sm" aria-label={`Use ${name}`} onClick={onUse}>
              Use
            </Button>
          )}
        </td>
      </tr>
      {isOpen && (
        <tr>
          <td colSpan={FIGURES.length + 3} className="bg-slate-950/40 px-10 py-3">
            <p className="text-xs text-slate-400">
              The first of {row.figures.n_texts} text{row.figures.n_texts === 1 ? '' : 's'}
            </p>
            <p className="mt-1 break-words whitespace-pre-wrap text-slate-200">{row.example}</p>
          </td>
        </tr>
      )}
    </>
  );
}
