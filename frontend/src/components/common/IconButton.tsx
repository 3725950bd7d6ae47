import type { LucideIcon } from 'lucide-react';
import type { ButtonHTMLAttributes } from 'react';
import { classNames } from '@/utils/classNames';

const TONES = {
  neutral: 'text-slate-400 hover:text-slate-100 hover:bg-slate-800',
  emerald: 'text-emerald-400 hover:text-emerald-300 hover:bg-emerald-500/10',
  blue: 'text-blue-400 hover:text-blue-300 hover:bg-blue-500/10',
  yellow: 'text-yellow-400 hover:text-yellow-300 hover:bg-yellow-500/10',
  danger: 'text-red-400 hover:text-red-300 hover:bg-red-500/10',
};

interface IconButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'children'> {
  /** Read aloud and shown as the native tooltip. */
  label: string;
  icon: LucideIcon;
  tone?: keyof typeof TONES;
  iconClassName?: string;
}

export function IconButton({
  label,
  icon: Icon,
  tone = 'neutral',
  className,
  iconClassName,
  ...rest
}: IconButtonProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={classNames(
        'inline-flex size-8 shrink-0 items-center justify-center rounded-lg transition-colors',
        'disabled:cursor-not-allowed disabled:opacity-40',
        TONES[tone],
        className,
      )}
      {...rest}
    >
      <Icon className={classNames('size-4', iconClassName)} aria-hidden />
    </button>
  );
}
