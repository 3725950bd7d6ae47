import { Segmented } from '@/components/common/Segmented';
import { useUrlChoice } from '@/hooks/useUrlState';
import type { Branch } from '@/stores/steeringLive';
import type { SteeringRun } from '@/stores/steeringStore';
import { classNames } from '@/utils/classNames';
import { formatInteger } from '@/utils/format';
import { TokenLegend } from '../visualizations/TokenLegend';
import { GenerationPane, type Shade } from './GenerationPane';
import { differenceTokens, divergenceTokens, largestDivergence } from './generatedTokens';

const SHADES = [
  { value: 'kl', label: 'Divergence' },
  { value: 'diff', label: 'Difference' },
] as const;
type ShadeName = (typeof SHADES)[number]['value'];

/** The texts beside each other, token by token as they are written. */
export function ComparativeGeneration({ run }: { run: SteeringRun }) {
  const { result, live, hasBaseline } = run;
  const [shadeName, setShade] = useUrlChoice<ShadeName>('shade', ['kl', 'diff']);
  const largest = Math.max(
    largestDivergence(result?.steered_output.tokens ?? live.steered),
    largestDivergence(result?.reconstruction?.output.tokens ?? live.reconstruction),
  );
  const marked = result?.proof.first_divergence ?? null;
  const pane = (branch: Branch) => {
    const text = textOf(result, branch);
    const tokens = text?.tokens ?? live[branch];
    const isBaseline = branch === 'reconstruction';
    const isDifference = shadeName === 'diff' && result !== null;
    const shade: Shade = isDifference
      ? { palette: branch === 'steered' ? 'orange' : 'blue', max: 1 }
      : { palette: 'purple', max: largest };
    return {
      branch,
      tokens: isDifference
        ? differenceTokens(tokens, isBaseline ? [] : result.diff, isBaseline ? 'steered' : branch)
        : divergenceTokens(
            tokens,
            isBaseline ? (result?.reconstruction?.proof.first_divergence ?? null) : marked,
          ),
      shade,
      text,
      isRunning: run.state === 'running',
    };
  };
  return (
    <div className="space-y-3">
      <div className={classNames('grid gap-4', hasBaseline ? 'lg:grid-cols-3' : 'lg:grid-cols-2')}>
        <GenerationPane title="Unsteered (Baseline)" {...pane('unsteered')} />
        {hasBaseline && <GenerationPane title="Reconstruction only" {...pane('reconstruction')} />}
        <GenerationPane title="Steered" {...pane('steered')} />
      </div>
      {result && (
        <div className="flex flex-wrap items-center justify-between gap-3 text-xs text-slate-400">
          <span className="flex flex-wrap items-center gap-4">
            <Segmented
              label="Colour of the tokens"
              options={SHADES}
              value={shadeName}
              onChange={setShade}
            />
            {shadeName === 'kl' ? (
              <TokenLegend
                label="KL from the unsteered model at each token, nats"
                max={largest}
                palette="purple"
              />
            ) : (
              <span>
                <span className="rounded bg-blue-500/40 px-1 text-slate-100">only unsteered</span>{' '}
                <span className="rounded bg-orange-400/40 px-1 text-slate-100">only steered</span>
              </span>
            )}
          </span>
          <span>
            {result.stopped && 'Stopped: the texts end there. '}
            {marked === null
              ? 'The two texts are the same.'
              : `Underlined: the texts part at token ${formatInteger(marked + 1)}.`}
          </span>
        </div>
      )}
    </div>
  );
}

function textOf(result: SteeringRun['result'], branch: Branch) {
  if (branch === 'reconstruction') return result?.reconstruction?.output ?? null;
  return result?.[`${branch}_output`] ?? null;
}
