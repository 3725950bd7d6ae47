import { Disclosure } from '@/components/common/Disclosure';
import { Tile } from '@/components/common/Tile';
import type { MeasuredFigure, TrainingEvaluation as Evaluation } from '@/types/training.types';
import type { Tone } from '@/utils/constants';
import { formatCompact, formatShare, formatSignificant } from '@/utils/format';

/** Shown first, in this order; the rest is folded. */
const HEADLINE: Record<string, Tone> = {
  explained_variance: 'emerald',
  l0: 'blue',
  dead_share: 'red',
  ce_recovered_zero: 'purple',
};

function formatFigure({ value, unit }: MeasuredFigure): string {
  if (unit === 'share') return formatShare(value);
  return unit ? `${formatSignificant(value)} ${unit}` : formatSignificant(value);
}

function FigureTile({ figure }: { figure: MeasuredFigure }) {
  return (
    <Tile
      label={figure.label}
      value={formatFigure(figure)}
      tone={HEADLINE[figure.key]}
      help={figure.definition}
      note={`${formatCompact(figure.n_tokens)} held-out tokens`}
    />
  );
}

/** Held-out figures; each says how it is defined and on how many tokens it was measured. */
export function TrainingEvaluation({ evaluation }: { evaluation: Evaluation }) {
  const isHeadline = (figure: MeasuredFigure) => figure.key in HEADLINE;
  const others = evaluation.figures.filter((figure) => !isHeadline(figure));
  return (
    <section aria-label="Held-out evaluation" className="space-y-3">
      <h5 className="text-sm font-medium text-slate-300">Held-out Evaluation</h5>
      <div className="grid grid-cols-2 gap-4 lg:grid-cols-4">
        {evaluation.figures.filter(isHeadline).map((figure) => (
          <FigureTile key={figure.key} figure={figure} />
        ))}
      </div>
      {others.length > 0 && (
        <Disclosure title={`All figures (${evaluation.figures.length})`}>
          <div className="grid grid-cols-2 gap-4 lg:grid-cols-4">
            {others.map((figure) => (
              <FigureTile key={figure.key} figure={figure} />
            ))}
          </div>
        </Disclosure>
      )}
    </section>
  );
}
