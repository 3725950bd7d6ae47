import { Disclosure } from '@/components/common/Disclosure';
import { Tile } from '@/components/common/Tile';
import type { MeasuredFigure, TrainingEvaluation as Evaluation } from '@/types/training.types';
import type { Tone } from '@/utils/constants';
import { formatCompact, formatShare } from '@/utils/format';
import { Baselines } from './Baselines';
import { formatFigure, formatInterval } from './figures';

/** Shown first, in this order; the rest is folded. */
const HEADLINE: Record<string, Tone> = {
  explained_variance: 'emerald',
  l0: 'blue',
  dead_share: 'red',
  ce_recovered_zero: 'purple',
};

/** A share of dead latents is a warning only where the guide says so. */
function toneOf({ key, verdict }: MeasuredFigure): Tone | undefined {
  if (key === 'dead_share') return verdict === 'poor' ? 'red' : 'slate';
  return HEADLINE[key];
}

/** On how much the figure rests, and how its interval is meant. */
function spread({ interval, n_tokens: nTokens, n_documents: nDocuments }: MeasuredFigure): string {
  const from = `On ${formatCompact(nTokens)} held-out tokens`;
  const of = nDocuments === null ? '' : ` of ${formatCompact(nDocuments)} documents`;
  const shown = interval
    ? ` Below: ${formatShare(interval.level, 0)} interval over resampled documents.`
    : '';
  return `${from}${of}.${shown}`;
}

function FigureTile({ figure }: { figure: MeasuredFigure }) {
  return (
    <Tile
      label={figure.label}
      value={formatFigure(figure.value, figure.unit)}
      tone={toneOf(figure)}
      help={[figure.definition, figure.guide, spread(figure)].filter(Boolean).join(' ')}
      note={formatInterval(figure) ?? `${formatCompact(figure.n_tokens)} held-out tokens`}
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
      <Baselines figures={evaluation.figures} />
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
