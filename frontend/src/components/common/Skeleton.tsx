import { classNames } from '@/utils/classNames';

/** A block of the final size while its content loads. */
export function Skeleton({ className }: { className?: string }) {
  return (
    <div
      aria-hidden
      className={classNames('animate-pulse rounded-lg bg-slate-800/60', className)}
    />
  );
}

interface SkeletonListProps {
  label: string;
  count: number;
  /** Classes of one block; give it the height of the loaded entry. */
  className: string;
}

export function SkeletonList({ label, count, className }: SkeletonListProps) {
  return (
    <div role="status" aria-label={label} className="contents">
      {Array.from({ length: count }, (_, index) => (
        <Skeleton key={index} className={className} />
      ))}
    </div>
  );
}
