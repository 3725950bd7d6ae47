import { Loader2 } from 'lucide-react';
import { CopyButton } from '@/components/common/CopyButton';
import type { SteeringRun } from '@/stores/steeringStore';
import type { GeneratedText } from '@/types/steering.types';
import { classNames } from '@/utils/classNames';
import { formatInteger } from '@/utils/format';
import { TokenInspector } from '../visualizations/TokenInspector';
import { TokenLegend } from '../visualizations/TokenLegend';
import { divergenceTokens, largestDivergence } from './generatedTokens';

/** The unsteered and the steered text beside each other. */
export function ComparativeGeneration({ run }: { run: SteeringRun }) {
  const { result } = run;
  const isRunning = run.state === 'running';
  const largest = result ? largestDivergence(result.steered_output.tokens) : 0;
  return (
    <div className="space-y-3">
      <div className="grid gap-4 lg:grid-cols-2">
        <Pane
          title="Unsteered (Baseline)"
          text={result?.unsteered_output ?? null}
          isRunning={isRunning}
          marked={result?.proof.first_divergence ?? null}
          max={largest}
        />
        <Pane
          title="Steered"
          isSteered
          text={result?.steered_output ?? null}
          isRunning={isRunning}
          marked={result?.proof.first_divergence ?? null}
          max={largest}
        />
      </div>
      {result && (
        <div className="flex flex-wrap items-center justify-between gap-3 text-xs text-slate-400">
          <TokenLegend
            label="KL from the unsteered model at each token, nats"
            max={largest}
            palette="purple"
          />
          <span>
            {result.proof.first_divergence === null
              ? 'The two texts are the same.'
              : `Underlined: the texts part at token ${formatInteger(result.proof.first_divergence + 1)}.`}
          </span>
        </div>
      )}
    </div>
  );
}

interface PaneProps {
  title: string;
  isSteered?: boolean;
  text: GeneratedText | null;
  isRunning: boolean;
  /** Index of the first token in which the texts differ. */
  marked: number | null;
  /** Divergence of full colour, shared by both panes. */
  max: number;
}

function Pane({ title, isSteered = false, text, isRunning, marked, max }: PaneProps) {
  return (
    <section
      aria-label={title}
      aria-busy={isRunning}
      className={classNames(
        'min-h-[200px] min-w-0 rounded-lg border bg-slate-900/50 p-4',
        isSteered ? 'border-emerald-500/30' : 'border-slate-800',
      )}
    >
      <header className="mb-3 flex h-8 items-center gap-2">
        <span
          aria-hidden
          className={classNames(
            'size-2 rounded-full',
            isSteered ? 'bg-emerald-400' : 'bg-slate-500',
          )}
        />
        <h3 className="flex-1 font-medium">{title}</h3>
        {text && (
          <CopyButton text={text.text} label={`Copy ${isSteered ? 'steered' : 'unsteered'} text`} />
        )}
      </header>
      {isRunning && (
        <p role="status" className="flex items-center gap-2 text-sm text-slate-400">
          <Loader2 className="size-4 animate-spin" aria-hidden /> Generating…
        </p>
      )}
      {!isRunning && !text && (
        <p className="text-sm text-slate-400">
          {isSteered
            ? 'The text with the features added appears here.'
            : 'The text of the untouched model appears here.'}
        </p>
      )}
      {!isRunning && text && (
        <>
          <div className="text-sm text-slate-200">
            <TokenInspector
              tokens={divergenceTokens(text.tokens, marked)}
              label={`${title} text`}
              palette="purple"
              max={max}
              breakLines
            />
          </div>
          <p className="mt-3 text-xs text-slate-400">
            {formatInteger(text.tokens.length)} tokens, ended{' '}
            {text.ended === 'eos' ? 'by itself' : 'at the limit'}
          </p>
        </>
      )}
    </section>
  );
}
