import { CopyButton } from '@/components/common/CopyButton';
import { TokenInspector } from '@/components/visualizations/TokenInspector';
import type { FeatureExample } from '@/types/feature.types';
import { formatDecimal, formatInteger } from '@/utils/format';
import { contextTokens } from '../exampleTokens';

/** What every list of contexts is told. */
export interface ExamplesProps {
  featureId: number;
  datasetName: string | null;
}

interface ExampleCardProps {
  example: FeatureExample;
  number: number;
  /** Activation of the fullest colour. */
  max: number;
  datasetName: string | null;
}

/** One context: where it is from, how strongly the feature fires, its tokens. */
export function ExampleCard({ example, number, max, datasetName }: ExampleCardProps) {
  const split = example.split === 'held_out' ? 'held out' : 'training split';
  const isMiss = example.margin !== null;
  return (
    <li className="rounded-lg border border-slate-800 bg-slate-800/30 p-4">
      <div className="mb-2 flex items-center justify-between gap-4 text-xs text-slate-400">
        <span>
          Example #{number} · {datasetName ? `${datasetName}, ` : ''}document{' '}
          {formatInteger(example.document)} · {split}
        </span>
        <span className="flex items-center gap-2">
          {isMiss ? 'Lacked to fire' : 'Max activation'}{' '}
          <span className={`font-mono ${isMiss ? 'text-orange-300' : 'text-emerald-400'}`}>
            {formatDecimal(isMiss ? Math.abs(example.margin ?? 0) : example.max_activation, 3)}
          </span>
          <CopyButton text={example.tokens.join('')} label={`Copy example ${number}`} />
        </span>
      </div>
      <div className="text-sm text-slate-300">
        <TokenInspector
          tokens={withPlace(example)}
          label={`Example ${number}`}
          max={max}
          breakLines
        />
      </div>
    </li>
  );
}

/** In a near miss nothing is coloured, so the token that almost fired is underlined. */
function withPlace(example: FeatureExample) {
  const tokens = contextTokens(example, 4);
  if (example.margin === null) return tokens;
  return tokens.map((token, index) => ({ ...token, isMarked: index === example.position }));
}
