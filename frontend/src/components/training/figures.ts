import type { MeasuredFigure } from '@/types/training.types';
import { formatShare, formatSignificant } from '@/utils/format';

/** A figure in its own unit. */
export function formatFigure(value: number, unit: string): string {
  if (unit === 'share') return formatShare(value);
  return unit ? `${formatSignificant(value)} ${unit}` : formatSignificant(value);
}

/** `0.938 – 0.942`, in the figure's own unit; null where the figure has no interval. */
export function formatInterval({ interval, unit }: MeasuredFigure): string | null {
  if (!interval) return null;
  const bound = (value: number) =>
    unit === 'share' ? formatShare(value) : formatSignificant(value);
  return `${bound(interval.low)} – ${bound(interval.high)}`;
}
