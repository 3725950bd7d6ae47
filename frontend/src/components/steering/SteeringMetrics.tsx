import { Filter, ShieldCheck } from 'lucide-react';
import { Tile } from '@/components/common/Tile';
import type {
  ConditionOutcome,
  ReconstructionBaseline,
  SteeringMetric,
  SteeringResult,
} from '@/types/steering.types';
import { formatDuration, formatInteger, formatShare, formatSignificant } from '@/utils/format';
import { formatMetric, metricTone } from './generatedTokens';

/** What the comparison measured, and the proof that the edit took place. */
export function SteeringMetrics({ result }: { result: SteeringResult }) {
  const { metrics, proof, intervention_layer: layer, seconds } = result;
  return (
    <section aria-label="Comparison metrics" className="space-y-4">
      <h3 className="font-medium">Comparison Metrics</h3>
      <MetricTiles metrics={metrics} toneOf={(metric) => metricTone(metric, metrics)} />
      <p className="flex max-w-4xl items-start gap-2 text-sm text-slate-300">
        <ShieldCheck className="mt-0.5 size-4 shrink-0 text-emerald-400" aria-hidden />
        <span>
          The edit acted on {formatInteger(proof.positions_touched)} positions of layer {layer}, by{' '}
          {formatShare(proof.mean_delta_norm_ratio)} of the norm of the state on average (‖Δ‖/‖h‖);{' '}
          {formatInteger(proof.prompt_positions_touched)} of them in the prompt,{' '}
          {formatInteger(proof.positions_changed)} changed by more than nothing.{' '}
          {firstDifference(proof)} First token after {formatDuration(result.first_token_seconds)},
          all texts after {formatDuration(seconds)}.
        </span>
      </p>
      {result.condition && <ConditionMet condition={result.condition} />}
      {result.reconstruction && <Baseline baseline={result.reconstruction} />}
    </section>
  );
}

interface MetricTilesProps {
  metrics: readonly SteeringMetric[];
  toneOf?: (metric: SteeringMetric) => ReturnType<typeof metricTone>;
}

/** Figures of a text, each with its definition. */
function MetricTiles({ metrics, toneOf }: MetricTilesProps) {
  return (
    <div className="grid grid-cols-2 gap-4 lg:grid-cols-4">
      {metrics.map((metric) => (
        <Tile
          key={metric.key}
          label={metric.label}
          value={formatMetric(metric)}
          tone={toneOf?.(metric)}
          help={metric.definition}
        />
      ))}
    </div>
  );
}

function ConditionMet({ condition }: { condition: ConditionOutcome }) {
  const { neuron_index, name, layer, threshold, largest_activation: largest } = condition;
  return (
    <p className="flex max-w-4xl items-start gap-2 text-sm text-slate-300">
      <Filter className="mt-0.5 size-4 shrink-0 text-sky-400" aria-hidden />
      <span>
        Only where #{neuron_index} {name && `(${name}) `}of layer {layer} is above{' '}
        {formatSignificant(threshold)}: met at {formatInteger(condition.positions_met)} of{' '}
        {formatInteger(condition.positions_read)} positions
        {largest !== null && `, the largest activation being ${formatSignificant(largest)}`}.
      </span>
    </p>
  );
}

/** What the dictionary's error alone does to the text. */
function Baseline({ baseline }: { baseline: ReconstructionBaseline }) {
  const { metrics, proof } = baseline;
  return (
    <section aria-label="Figures of the reconstruction" className="space-y-3">
      <h3 className="font-medium">Reconstruction only, without the edit</h3>
      <MetricTiles metrics={metrics} />
      <p className="max-w-4xl text-sm text-slate-300">
        At {formatInteger(proof.positions_touched)} positions the dictionary’s output took the
        state’s place; it missed {formatShare(proof.mean_delta_norm_ratio)} of its norm on average.
        What the steered text shows beyond these figures comes from the features.
      </p>
    </section>
  );
}

function firstDifference({ first_differing_logit: first }: SteeringResult['proof']): string {
  if (!first) return 'No logit differs from the unsteered model’s.';
  const size = formatSignificant(first.max_difference);
  return `Logits differ from token ${formatInteger(first.index + 1)} on, there by up to ${size}.`;
}
