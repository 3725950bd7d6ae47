import { Wand2 } from 'lucide-react';
import type { Problem } from '@/types/api.types';
import type { Estimate, ResourceNeed } from '@/types/estimate.types';
import { classNames } from '@/utils/classNames';
import { formatBytes, formatDuration, formatRate } from '@/utils/format';
import { Button } from './Button';
import { InfoTip } from './InfoTip';

interface EstimateBoxProps {
  /** Null while it is on its way or the form is not whole. */
  estimate: Estimate | null;
  problem: Problem | null;
  /** The estimate answers an earlier state of the form. */
  isOld: boolean;
  /** Takes over the change with which it would fit. */
  onProposal: (change: Record<string, unknown>) => void;
}

const NAMES: Record<ResourceNeed['name'], string> = {
  memory: 'Memory',
  gpu_memory: 'GPU memory',
  disk: 'Disk',
};
const FITS: Record<Estimate['fit'], { label: string; className: string }> = {
  fits: { label: 'Fits', className: 'border-emerald-500/30 bg-emerald-500/20 text-emerald-300' },
  tight: { label: 'Tight', className: 'border-yellow-500/30 bg-yellow-500/20 text-yellow-300' },
  does_not_fit: { label: 'Too large', className: 'border-red-500/30 bg-red-500/20 text-red-300' },
};

/** What a job will take, before it starts, and the change that makes it fit. */
export function EstimateBox({ estimate, problem, isOld, onProposal }: EstimateBoxProps) {
  return (
    <section
      aria-label="Estimate"
      aria-busy={isOld}
      className="min-h-[4.75rem] rounded-lg border border-slate-800 bg-slate-800/30 px-4 py-3 text-sm"
    >
      {!estimate && (
        <p className="text-slate-400">
          {problem?.message ?? 'What it will take is estimated as soon as the form is filled in.'}
        </p>
      )}
      {estimate && (
        <div className="space-y-2">
          <div className="flex flex-wrap items-center gap-x-6 gap-y-2">
            <span
              className={classNames(
                'rounded-full border px-3 py-0.5 text-xs font-medium',
                FITS[estimate.fit].className,
              )}
            >
              {FITS[estimate.fit].label}
            </span>
            <Time time={estimate.time} />
            {estimate.resources.map((need) => (
              <Need key={need.name} need={need} />
            ))}
          </div>
          <div className="flex flex-wrap items-center justify-between gap-3 text-xs text-slate-400">
            <p className="min-w-0 flex-1">{isOld ? 'Estimating anew…' : estimate.message}</p>
            {estimate.proposal && (
              <Button size="sm" icon={Wand2} onClick={() => onProposal(estimate.proposal ?? {})}>
                Use What Fits
              </Button>
            )}
          </div>
        </div>
      )}
    </section>
  );
}

function Time({ time }: { time: Estimate['time'] }) {
  const { seconds, tokens_per_second: rate, source } = time;
  return (
    <span className="inline-flex items-center gap-1.5 tabular-nums">
      <span className="text-slate-400">Time</span>
      <span className="text-slate-100">
        {seconds === null ? 'not known yet' : `about ${formatDuration(seconds)}`}
      </span>
      {rate !== null && <span className="text-slate-400">at {formatRate(rate, 'tokens')}</span>}
      <InfoTip label="the time" text={`Where the rate is from: ${source}.`} />
    </span>
  );
}

function Need({ need }: { need: ResourceNeed }) {
  const counted = need.needed_bytes - need.reclaimable_bytes;
  const parts = need.parts.map((part) => `${part.name} ${formatBytes(part.size_bytes)}`);
  return (
    <span className="inline-flex items-center gap-1.5 tabular-nums">
      <span className="text-slate-400">{NAMES[need.name]}</span>
      <span className="text-slate-100">{formatBytes(counted)}</span>
      <span className="text-slate-400">of {formatBytes(need.free_bytes)} free</span>
      <InfoTip label={NAMES[need.name]} text={`${parts.join('; ')}.`} />
    </span>
  );
}
