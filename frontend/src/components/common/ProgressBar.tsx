import { classNames } from '@/utils/classNames';

const FILLS = {
  emerald: 'from-emerald-600 to-emerald-400',
  blue: 'from-blue-600 to-blue-400',
  purple: 'from-purple-600 to-purple-400',
  yellow: 'from-yellow-600 to-yellow-400',
};

export type ProgressTone = keyof typeof FILLS;

interface ProgressBarProps {
  label: string;
  /** Percent, 0 to 100; null while the amount is unknown. */
  value: number | null;
  tone?: ProgressTone;
}

export function ProgressBar({ label, value, tone = 'emerald' }: ProgressBarProps) {
  const percent = value === null ? null : Math.min(100, Math.max(0, value));
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent === null ? undefined : Math.round(percent)}
      className="h-2 overflow-hidden rounded-full bg-slate-800"
    >
      <div
        className={classNames(
          'h-full rounded-full bg-gradient-to-r transition-all duration-500',
          FILLS[tone],
          percent === null && 'w-1/3 animate-pulse',
        )}
        style={percent === null ? undefined : { width: `${percent}%` }}
      />
    </div>
  );
}
