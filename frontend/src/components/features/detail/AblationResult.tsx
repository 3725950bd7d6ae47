import { InfoNote } from '@/components/common/InfoNote';
import { Tile } from '@/components/common/Tile';
import { TokenInspector } from '@/components/visualizations/TokenInspector';
import { TokenLegend } from '@/components/visualizations/TokenLegend';
import { quotedToken } from '@/components/visualizations/tokenText';
import type { AblatedContext, Ablation } from '@/types/feature.types';
import { formatDecimal, formatInteger } from '@/utils/format';
import { LensList } from '../LensList';

/** What the model loses without the feature: two figures, moved tokens, and where it happens. */
export function AblationResult({ ablation }: { ablation: Ablation }) {
  const { mean_loss_change: loss, mean_kl: kl, promoted, suppressed } = ablation;
  const moved = [...promoted, ...suppressed].map((token) => Math.abs(token.logit));
  const largest = Math.max(0, ...moved);
  const strongest = Math.max(0, ...ablation.contexts.flatMap((context) => context.kl));
  return (
    <div className="space-y-6">
      <div className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">
        <Tile
          size="lg"
          tone={loss !== null && loss > 0 ? 'red' : 'emerald'}
          label="Loss change"
          value={signed(loss)}
          note="nats per token on which it fires"
          help="Rise of the next token's cross-entropy without the feature. Above zero: the model predicts worse without it."
        />
        <Tile
          size="lg"
          tone="purple"
          label="KL divergence"
          value={formatDecimal(kl, 4)}
          note="nats per token on which it fires"
          help="How far the model's next-token distribution moves without the feature."
        />
        <Tile
          size="lg"
          label="Tokens"
          value={formatInteger(ablation.n_positions)}
          note={`on ${formatInteger(ablation.contexts.length)} contexts`}
          help="Tokens of the contexts on which the feature fires; the means are over these."
        />
      </div>
      <div className="grid gap-8 md:grid-cols-2">
        <LensList
          title="More likely without it"
          tokens={promoted}
          largest={largest}
          bar="bg-blue-500"
        />
        <LensList
          title="Less likely without it"
          tokens={suppressed}
          largest={largest}
          bar="bg-orange-400"
        />
      </div>
      <section aria-label="Where the prediction changes" className="space-y-3">
        <div className="flex items-center justify-between gap-4">
          <h3 className="font-medium">Where the prediction changes</h3>
          <TokenLegend label="KL" max={strongest} palette="purple" />
        </div>
        <ol className="space-y-3">
          {ablation.contexts.map((context, index) => (
            <li key={index} className="rounded-lg bg-slate-800/30 p-4 text-sm text-slate-300">
              <TokenInspector
                tokens={ablatedTokens(context)}
                label={`Context ${index + 1}`}
                max={strongest}
                palette="purple"
                breakLines
              />
            </li>
          ))}
        </ol>
      </section>
      <InfoNote>{ablation.definition}</InfoNote>
    </div>
  );
}

function signed(value: number | null): string {
  return `${value !== null && value > 0 ? '+' : ''}${formatDecimal(value, 4)}`;
}

function ablatedTokens(context: AblatedContext) {
  return context.tokens.map((text, index) => {
    const facts = [
      `KL ${formatDecimal(context.kl[index], 4)}`,
      `loss ${signed(context.loss_change[index] ?? null)}`,
      `activation ${formatDecimal(context.activations[index], 3)}`,
    ];
    return {
      text,
      value: context.kl[index] ?? 0,
      title: `${quotedToken(text)}  ${facts.join(', ')}`,
    };
  });
}
