import { formatDateTime, formatInteger } from '@/utils/format';
import type { ComparedRun } from './comparedRuns';

/** Which letter and colour stands for which training. */
export function RunKey({ runs }: { runs: readonly ComparedRun[] }) {
  return (
    <ol className="grid gap-2 sm:grid-cols-2 lg:grid-cols-3">
      {runs.map(({ training, letter, color }) => (
        <li key={training.id} className="flex min-w-0 gap-3 rounded-lg bg-slate-800/30 p-3 text-sm">
          <span
            className="flex size-6 shrink-0 items-center justify-center rounded text-xs font-semibold text-slate-950"
            style={{ backgroundColor: color }}
          >
            {letter}
          </span>
          <span className="min-w-0">
            <span className="block truncate text-slate-100" title={training.name}>
              {training.name}
            </span>
            <span className="block truncate text-xs text-slate-400">
              {formatInteger(training.n_latents)} latents · {training.status} ·{' '}
              {formatDateTime(training.created_at)}
            </span>
          </span>
        </li>
      ))}
    </ol>
  );
}
