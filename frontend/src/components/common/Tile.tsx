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
}

/** One figure with its name. */
export function Tile({ label, value, tone = 'slate', help, note, size = 'sm' }: TileProps) {
  return (
    <div className="min-w-0 rounded-lg bg-slate-800/50 px-4 py-3">
      <div className="flex items-center gap-1.5 text-xs text-slate-400">
        <span className="truncate">{label}</span>
        {help && <InfoTip label={label} text={help} />}
      </div>
      <div
        className={classNames(
          'mt-1 truncate font-semibold tabular-nums',
          size === 'lg' ? 'text-2xl' : 'text-lg',
          TEXT[tone],
        )}
        title={value}
      >
        {value}
      </div>
      {note && <div className="mt-0.5 truncate text-xs text-slate-400">{note}</div>}
    </div>
  );
}
