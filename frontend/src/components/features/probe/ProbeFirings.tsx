import { useState } from 'react';
import { Chip } from '@/components/common/Chip';
import { TokenInspector } from '@/components/visualizations/TokenInspector';
import { TokenLegend } from '@/components/visualizations/TokenLegend';
import { quotedToken } from '@/components/visualizations/tokenText';
import type { ProbedFeature, ProbeResult } from '@/types/feature.types';
import { formatDecimal, formatInteger, formatShare } from '@/utils/format';
import { FiringList } from './FiringList';

interface ProbeFiringsProps {
  result: ProbeResult;
  featureId: number | undefined;
  onOpen: (id: number) => void;
}

/** The tokens of a text coloured by one feature, and the features that fire on it. */
export function ProbeFirings({ result, featureId, onOpen }: ProbeFiringsProps) {
  const [shownIndex, setShownIndex] = useState<number | null>(null);
  const [picked, setPicked] = useState<number | null>(null);
  const listed = firingAt(result.features, picked);
  const asked = result.features.find(({ id }) => featureId !== undefined && id === featureId);
  const shown =
    asked ?? listed.find((firing) => firing.neuron_index === shownIndex) ?? listed[0] ?? null;
  const max = Math.max(0, ...(shown?.activations ?? []));

  return (
    <div className="space-y-4">
      <div className="rounded-lg border border-slate-800 bg-slate-800/30 p-4">
        <div className="mb-3 flex flex-wrap items-center justify-between gap-3 text-sm text-slate-400">
          <span>
            {formatInteger(result.tokens.length)} tokens
            {featureId === undefined && ` · ${formatInteger(result.n_firing)} features fire`}
            {shown && ` · coloured by #${shown.neuron_index} ${shown.name ?? ''}`}
          </span>
          {max > 0 && <TokenLegend label="Activation" max={max} />}
        </div>
        <TokenInspector
          tokens={probedTokens(result.tokens, shown)}
          label="Your text by tokens"
          max={max}
          breakLines
          {...(featureId === undefined ? { onPick: setPicked } : {})}
        />
      </div>
      {featureId === undefined ? (
        <>
          {picked === null ? (
            <p className="text-sm text-slate-400">
              Click a token to see only the features that fire on it.
            </p>
          ) : (
            <Chip removeLabel="Show the features of all tokens" onRemove={() => setPicked(null)}>
              fire on “{quotedToken(result.tokens[picked] ?? '')}”
            </Chip>
          )}
          <FiringList
            firings={listed}
            tokens={result.tokens}
            shown={shown}
            position={picked}
            onShow={setShownIndex}
            onOpen={onOpen}
          />
        </>
      ) : (
        <Verdict firing={asked} />
      )}
    </div>
  );
}

function Verdict({ firing }: { firing: ProbedFeature | undefined }) {
  if (!firing || firing.max_activation <= 0) {
    return <p className="text-sm text-slate-300">The feature does not fire on this text.</p>;
  }
  return (
    <p className="text-sm text-slate-300">
      Strongest{' '}
      <span className="font-mono text-emerald-400">{formatDecimal(firing.max_activation, 3)}</span>,{' '}
      {formatShare(firing.share_of_max, 0)} of its largest activation in the corpus.
    </p>
  );
}

/** Features that fire on a token, the strongest there first; all of them without one. */
function firingAt(firings: readonly ProbedFeature[], position: number | null): ProbedFeature[] {
  if (position === null) return firings.filter((firing) => firing.max_activation > 0);
  const at = (firing: ProbedFeature) => firing.activations[position] ?? 0;
  return firings.filter((firing) => at(firing) > 0).sort((a, b) => at(b) - at(a));
}

function probedTokens(tokens: readonly string[], shown: ProbedFeature | null) {
  return tokens.map((text, index) => {
    const value = shown?.activations[index] ?? 0;
    return { text, value, title: `${quotedToken(text)}  ${formatDecimal(value, 4)}` };
  });
}
