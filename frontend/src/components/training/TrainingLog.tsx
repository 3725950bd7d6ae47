import { memo, useEffect, useRef } from 'react';
import { formatDecimal, formatInteger, formatRate, formatTime } from '@/utils/format';
import type { SeriesPoint } from '@/utils/series';

const LINES = 200;
/** Pixels from the end within which the box follows new lines. */
const FOLLOW = 40;

interface TrainingLogProps {
  points: readonly SeriesPoint[];
  nLatents: number;
  isLive: boolean;
}

function describe(point: SeriesPoint, nLatents: number): string {
  return [
    `step ${formatInteger(point.step)}`,
    `loss ${formatDecimal(point.loss, 4)}`,
    `L0 ${formatDecimal(point.sparsity, 1)}`,
    `dead ${formatInteger(point.dead_neurons)}/${formatInteger(nLatents)}`,
    formatRate(point.tokens_per_second, 'tokens'),
  ].join('  ');
}

/** The newest points as lines of a log; follows the end unless scrolled up. */
export function TrainingLog({ points, nLatents, isLive }: TrainingLogProps) {
  const box = useRef<HTMLDivElement>(null);
  const isFollowing = useRef(true);

  useEffect(() => {
    const element = box.current;
    if (element && isFollowing.current) element.scrollTop = element.scrollHeight;
  }, [points]);

  return (
    <section aria-label="Training log" className="rounded-lg border border-slate-800 bg-black p-4">
      <div className="mb-2 flex items-center justify-between text-xs">
        <h5 className="font-medium text-slate-300">Training Log</h5>
        {isLive && (
          <span className="flex items-center gap-1.5 text-emerald-400">
            <span aria-hidden className="size-1.5 animate-pulse rounded-full bg-emerald-400" />
            Live
          </span>
        )}
      </div>
      <div
        ref={box}
        role="log"
        aria-live="off"
        aria-label="Log lines"
        tabIndex={0}
        onScroll={({ currentTarget: at }) => {
          isFollowing.current = at.scrollHeight - at.scrollTop - at.clientHeight < FOLLOW;
        }}
        className="h-40 overflow-y-auto font-mono text-xs leading-5 whitespace-pre text-slate-300"
      >
        {points.slice(-LINES).map((point) => (
          <LogLine key={point.step} point={point} nLatents={nLatents} />
        ))}
      </div>
    </section>
  );
}

interface LogLineProps {
  point: SeriesPoint;
  nLatents: number;
}

/** Kept as it is when newer points arrive: a fast run brings dozens per second. */
const LogLine = memo(function LogLine({ point, nLatents }: LogLineProps) {
  return (
    <div>
      <span className="text-slate-500">{formatTime(point.timestamp)}</span>{' '}
      {describe(point, nLatents)}
    </div>
  );
});
