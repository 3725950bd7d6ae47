import type { PromptToken } from '@/types/steering.types';
import { classNames } from '@/utils/classNames';
import { formatInteger } from '@/utils/format';
import { visibleToken } from '../visualizations/tokenText';

/** The prompt as the model read it, template and start token included, with what was steered. */
export function PromptTokens({ tokens }: { tokens: readonly PromptToken[] }) {
  const steered = tokens.filter((token) => token.steered).length;
  return (
    <section aria-label="Prompt as tokens" className="space-y-2">
      <p className="text-xs text-slate-400">
        The prompt as the model read it: {formatInteger(tokens.length)} tokens,{' '}
        {formatInteger(steered)} of them steered (outlined).
      </p>
      <p className="flex flex-wrap gap-1 font-mono text-xs">
        {tokens.map((token, index) => (
          <span
            key={index}
            title={`position ${index}, token ${token.token_id}, ${token.steered ? 'steered' : 'left alone'}`}
            className={classNames(
              'rounded border px-1 whitespace-pre',
              token.steered
                ? 'border-emerald-500/60 text-slate-100'
                : 'border-transparent text-slate-400',
            )}
          >
            {visibleToken(token.text).text}
          </span>
        ))}
      </p>
    </section>
  );
}
