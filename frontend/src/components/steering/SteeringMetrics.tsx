import { ShieldCheck } from 'lucide-react';
import { Tile } from '@/components/common/Tile';
import type { SteeringResult } from '@/types/steering.types';
import { formatDuration, formatInteger, formatShare, formatSignificant } from '@/utils/format';
import { formatMetric, metricTone } from './generatedTokens';

/** What the comparison measured, and the proof that the edit took place. */
export function SteeringMetrics({ result }: { result: SteeringResult }) {
  const { metrics, proof, intervention_layer: layer, seconds } = result;
  return (
    <section aria-label="Comparison metrics" className="space-y-4">
      <h3 className="font-medium">Comparison Metrics</h3>
      <div className="grid grid-cols-2 gap-4 lg:grid-cols-4">
        {metrics.map((metric) => (
          <Tile
            key={metric.key}
            label={metric.label}
            value={formatMetric(metric)}
            tone={metricTone(metric, metrics)}
            help={metric.definition}
          />
        ))}
      </div>
      <p className="flex max-w-4xl items-start gap-2 text-sm text-slate-300">
        <ShieldCheck className="mt-0.5 size-4 shrink-0 text-emerald-400" aria-hidden />
        <span>
          The edit acted on {formatInteger(proof.positions_touched)} positions of layer {layer}, by{' '}
          {formatShare(proof.mean_delta_norm_ratio)} of the residual norm on average (‖Δ‖/‖h‖);{' '}
          {formatInteger(proof.prompt_positions_touched)} of them in the prompt,{' '}
          {formatInteger(proof.positions_changed)} changed by more than nothing.{' '}
          {firstDifference(proof)} First token after {formatDuration(result.first_token_seconds)},
          both texts after {formatDuration(seconds)}.
        </span>
      </p>
    </section>
  );
}

function firstDifference({ first_differing_logit: first }: SteeringResult['proof']): string {
  if (!first) return 'No logit differs from the unsteered model’s.';
  const size = formatSignificant(first.max_difference);
  return `Logits differ from token ${formatInteger(first.index + 1)} on, there by up to ${size}.`;
}
