import { Star, TriangleAlert } from 'lucide-react';
import { Bar } from '@/components/common/Bar';
import { Button } from '@/components/common/Button';
import { Disclosure } from '@/components/common/Disclosure';
import type { SweepControl, SweptFeature } from '@/types/steering.types';
import { formatDecimal, formatSignificant } from '@/utils/format';
import { CONTROL_VIEWS, strengthText } from './sweepViews';

interface SweepVerdictProps {
  feature: SweptFeature;
  onUse: () => void;
}

/** The chosen strength beside no steering and the controls, on prompts that took no part. */
export function SweepVerdict({ feature, onUse }: SweepVerdictProps) {
  const { best, controls } = feature;
  if (!best) return null;
  const scores = [best.score, best.unsteered_score, ...controls.map(({ score }) => score ?? 0)];
  const largest = Math.max(...scores, 1e-9);
  const isBetter = controls.every(({ score }) => (score ?? 0) < best.score);
  return (
    <section aria-label="Chosen strength" className="space-y-4">
      <div className="flex flex-wrap items-center gap-3 rounded-lg border border-emerald-500/30 bg-emerald-500/5 p-4">
        <Star
          className="size-5 shrink-0 fill-emerald-400 text-emerald-400 max-sm:hidden"
          aria-hidden
        />
        <p className="min-w-56 flex-1">
          <span className="mr-3 font-mono text-lg text-emerald-300">
            {strengthText(best.strength, best.unit, best.kl_target)}
          </span>
          <span className="text-sm text-slate-300">
            {best.is_held_out
              ? 'chosen on half of the prompts; all figures here are of the other half'
              : 'chosen and measured on the same prompt: give a second one to judge it elsewhere'}
          </span>
        </p>
        <Button variant="primary" onClick={onUse}>
          Use this strength
        </Button>
      </div>
      {best.score <= best.unsteered_score && (
        <Notice>No strength scored higher than no steering on these prompts.</Notice>
      )}
      {best.score > best.unsteered_score && !isBetter && (
        <Notice>
          A control does as well: what is seen need not come from what the feature stands for.
        </Notice>
      )}
      <ul className="space-y-2" aria-label="Score of the chosen strength and of the controls">
        <ScoreRow label="This feature" score={best.score} largest={largest} isOwn />
        <ScoreRow label="No steering" score={best.unsteered_score} largest={largest} />
        {controls.map((control) => (
          <ControlRow key={control.name} control={control} largest={largest} />
        ))}
      </ul>
      <Disclosure title="The texts of the chosen strength and of the controls">
        <dl className="space-y-3 text-sm">
          <Example label="This feature" text={best.example} />
          {controls.map(
            ({ name, example }) =>
              example && <Example key={name} label={CONTROL_VIEWS[name].label} text={example} />,
          )}
        </dl>
      </Disclosure>
    </section>
  );
}

function Notice({ children }: { children: string }) {
  return (
    <p className="flex gap-2 text-sm text-yellow-200">
      <TriangleAlert className="mt-0.5 size-4 shrink-0" aria-hidden />
      {children}
    </p>
  );
}

function ControlRow({ control, largest }: { control: SweepControl; largest: number }) {
  const view = CONTROL_VIEWS[control.name];
  const figures = control.figures
    ? `KL p95 ${formatSignificant(control.figures.kl_p95)}, perplexity ${formatSignificant(control.figures.perplexity)}`
    : null;
  return (
    <ScoreRow
      label={view.label}
      help={view.help}
      score={control.score}
      largest={largest}
      note={[control.note, figures].filter(Boolean).join(' ')}
    />
  );
}

interface ScoreRowProps {
  label: string;
  score: number | null;
  largest: number;
  isOwn?: boolean;
  help?: string;
  note?: string;
}

function ScoreRow({ label, score, largest, isOwn = false, help, note }: ScoreRowProps) {
  return (
    <li className="grid grid-cols-[1fr_auto] items-center gap-x-3 gap-y-1 text-sm sm:grid-cols-[10rem_4rem_1fr] sm:gap-y-0">
      <span className="truncate text-slate-200" title={help}>
        {label}
      </span>
      <span className="text-right text-slate-100 tabular-nums">{formatDecimal(score, 3)}</span>
      {score === null ? (
        <span className="col-span-full text-xs text-slate-400 sm:col-span-1">{note}</span>
      ) : (
        <div className="col-span-full sm:col-span-1">
          <Bar share={score / largest} fill={isOwn ? 'bg-emerald-500' : 'bg-slate-500'} />
        </div>
      )}
      {score !== null && note && (
        <span
          className="col-span-full text-xs text-slate-400 sm:col-span-1 sm:col-start-3 sm:truncate"
          title={note}
        >
          {note}
        </span>
      )}
    </li>
  );
}

function Example({ label, text }: { label: string; text: string }) {
  return (
    <div>
      <dt className="text-xs text-slate-400">{label}</dt>
      <dd className="mt-0.5 break-words whitespace-pre-wrap text-slate-200">{text}</dd>
    </div>
  );
}
