import { Loader2 } from 'lucide-react';
import { CopyButton } from '@/components/common/CopyButton';
import type { Branch } from '@/stores/steeringLive';
import type { GeneratedText } from '@/types/steering.types';
import { classNames } from '@/utils/classNames';
import { formatInteger } from '@/utils/format';
import type { HighlightToken } from '../visualizations/TokenHighlights';
import { TokenInspector } from '../visualizations/TokenInspector';
import type { HighlightPalette } from '../visualizations/tokenText';

export interface Shade {
  palette: HighlightPalette;
  /** Value of full colour, shared by both panes. */
  max: number;
}

interface GenerationPaneProps {
  title: string;
  branch: Branch;
  tokens: readonly (HighlightToken & { title: string })[];
  shade: Shade;
  /** The finished text; null while it is written. */
  text: GeneratedText | null;
  isRunning: boolean;
}

const ENDS = {
  eos: 'ended by itself',
  length: 'ended at the limit',
  stop: 'ended at a stop text',
  stopped: 'stopped by you',
} as const;

const DOTS: Record<Branch, string> = {
  unsteered: 'bg-slate-500',
  reconstruction: 'bg-sky-400',
  steered: 'bg-emerald-400',
};
const EMPTY: Record<Branch, string> = {
  unsteered: 'The text of the untouched model appears here.',
  reconstruction: 'The text with the dictionary’s reconstruction and no edit appears here.',
  steered: 'The text with the features added appears here.',
};

/** One of the texts. */
export function GenerationPane(props: GenerationPaneProps) {
  const { title, branch, tokens, shade, text, isRunning } = props;
  return (
    <section
      aria-label={title}
      aria-busy={isRunning}
      className={classNames(
        'min-h-[200px] min-w-0 rounded-lg border bg-slate-900/50 p-4',
        branch === 'steered' ? 'border-emerald-500/30' : 'border-slate-800',
      )}
    >
      <header className="mb-3 flex h-8 items-center gap-2">
        <span aria-hidden className={classNames('size-2 rounded-full', DOTS[branch])} />
        <h3 className="flex-1 font-medium">{title}</h3>
        {text && <CopyButton text={text.text} label={`Copy ${branch} text`} />}
      </header>
      {tokens.length > 0 && (
        <div className="text-sm text-slate-200">
          <TokenInspector tokens={tokens} label={`${title} text`} {...shade} breakLines />
        </div>
      )}
      <Foot {...{ branch, isRunning, text }} count={tokens.length} />
    </section>
  );
}

type FootProps = Pick<GenerationPaneProps, 'branch' | 'isRunning' | 'text'> & { count: number };

function Foot({ branch, isRunning, text, count }: FootProps) {
  if (isRunning) {
    return (
      <p role="status" className="flex items-center gap-2 text-xs text-slate-400">
        <Loader2 className="size-4 animate-spin" aria-hidden />
        {count === 0 ? 'Generating…' : `${formatInteger(count)} tokens so far`}
      </p>
    );
  }
  if (!text) {
    return <p className="text-sm text-slate-400">{EMPTY[branch]}</p>;
  }
  return (
    <p className="mt-3 text-xs text-slate-400">
      {formatInteger(count)} tokens, {ENDS[text.ended]}
    </p>
  );
}
