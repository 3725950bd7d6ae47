import type { Tone } from '@/utils/constants';
import { classNames } from '@/utils/classNames';
import { InfoTip } from './InfoTip';

const TEXT: Record<Tone, string> = {
  emerald: 'text-emerald-400',
  blue: 'text-blue-400',
  purple: 'text-purple-400',
  yellow: 'text-yellow-400',
  red: 'text-red-400',
  slate: 'text-slate-100',
};

interface TileProps {
  label: string;
  value: string;
  tone?: Tone;
  /** How the figure is defined. */
  help?: string;
  /** Small line under the value, such as a sample size. */
  note?: string;
  size?: 'sm' | 'lg';
  /** On one line with its note and without a ground, for a strip of figures. */
  isDense?: boolean;
}

/** One figure with its name. */
export function Tile(props: TileProps) {
  const { label, value, tone = 'slate', help, note, size = 'sm', isDense = false } = props;
  return (
    <div className={isDense ? 'min-w-0' : 'min-w-0 rounded-lg bg-slate-800/50 px-4 py-3'}>
      <div className="flex items-center gap-1.5 text-xs text-slate-400">
        <span className="truncate">{label}</span>
        {help && <InfoTip label={label} text={help} />}
      </div>
      <div className={isDense ? 'flex items-baseline gap-2' : ''}>
        <div
          className={classNames(
            'truncate font-semibold tabular-nums',
            isDense ? 'shrink-0' : 'mt-1',
            size === 'lg' ? 'text-2xl' : 'text-lg',
            TEXT[tone],
          )}
          title={value}
        >
          {value}
        </div>
        {note && (
          <div className={classNames('truncate text-xs text-slate-400', !isDense && 'mt-0.5')}>
            {note}
          </div>
        )}
      </div>
    </div>
  );
}
