import { classNames } from '@/utils/classNames';

interface BarProps {
  /** 0 to 1; what lies outside is cut off. */
  share: number;
  /** Classes of the filled part. */
  fill: string;
  className?: string;
}

/** A thin bar beside a figure that stands in the text, hidden from readers of the text. */
export function Bar({ share, fill, className }: BarProps) {
  const percent = 100 * Math.min(1, Math.max(0, share));
  return (
    <span
      aria-hidden
      className={classNames(
        'block h-1.5 overflow-hidden rounded-full bg-slate-800',
        className ?? 'w-full',
      )}
    >
      <span
        className={classNames('block h-full rounded-full', fill)}
        style={{ width: `${percent}%` }}
      />
    </span>
  );
}
