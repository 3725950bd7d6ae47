import { History } from 'lucide-react';
import { useState } from 'react';
import { Button } from '@/components/common/Button';
import { ConfirmButton } from '@/components/common/ConfirmButton';
import { EmptyState } from '@/components/common/EmptyState';
import { ErrorBox } from '@/components/common/ErrorBox';
import { Fetched } from '@/components/common/Fetched';
import { Pager } from '@/components/common/Pager';
import { SkeletonList } from '@/components/common/Skeleton';
import { useSavedRuns } from '@/hooks/useSteeringRuns';
import type { ResolvedFeature, SavedRun } from '@/types/steering.types';
import { formatDateTime, formatDecimal } from '@/utils/format';
import { hookShortName } from '@/utils/hookNames';
import { UNIT_SCALES } from './coefficients';
import { ExportMenu } from './ExportMenu';
import { METHODS } from './methods';
import { ReplayButton } from './ReplayButton';
import { isElsewhere } from './runConfig';

/** Every comparison that was made, to be opened, repeated, exported or forgotten. */
export function HistoryView({ onOpen }: { onOpen: (id: string) => void }) {
  const [page, setPage] = useState(1);
  const runs = useSavedRuns(page);
  return (
    <section aria-label="Saved runs" className="space-y-4">
      {runs.remove.error && <ErrorBox problem={runs.remove.error} />}
      <Fetched
        {...runs}
        skeleton={<SkeletonList label="Loading runs" count={4} className="h-32" />}
      >
        {({ items, pagination }) =>
          items.length === 0 ? (
            <EmptyState
              icon={History}
              title="Nothing was steered yet"
              hint="Every comparison is kept with all that is needed to repeat it."
            />
          ) : (
            <>
              <ul className="space-y-3">
                {items.map((run) => (
                  <RunRow
                    key={run.id}
                    run={run}
                    onOpen={() => onOpen(run.id)}
                    onRemove={() => void runs.remove.run(run)}
                  />
                ))}
              </ul>
              <Pager pagination={pagination} noun="runs" onPage={setPage} />
            </>
          )
        }
      </Fetched>
    </section>
  );
}

interface RunRowProps {
  run: SavedRun;
  onOpen: () => void;
  onRemove: () => void;
}

function RunRow({ run, onOpen, onRemove }: RunRowProps) {
  return (
    <li className="space-y-3 rounded-lg border border-slate-800 bg-slate-900/50 p-4">
      <div className="flex flex-wrap items-start gap-3">
        <div className="min-w-0 flex-1">
          <p className="truncate font-mono text-sm text-slate-100" title={run.prompt}>
            {run.prompt}
          </p>
          <p className="mt-1 flex flex-wrap gap-2 text-xs text-slate-400">
            <span>{formatDateTime(run.created_at)}</span>
            {run.features.map((feature) => (
              <span key={feature.id} className="rounded bg-slate-800 px-1.5 text-slate-300">
                {describeFeature(feature)}
              </span>
            ))}
            <span className="font-mono" title="Equal for runs that must give the same texts">
              {run.fingerprint.slice(0, 8)}
            </span>
          </p>
        </div>
        <div className="flex items-start gap-2">
          <Button size="sm" onClick={onOpen}>
            Open
          </Button>
          <ReplayButton runId={run.id} />
          <ExportMenu runId={run.id} />
          <ConfirmButton label="Delete this run" onConfirm={onRemove} />
        </div>
      </div>
      <div className="grid gap-3 text-sm md:grid-cols-2">
        <Excerpt title="Unsteered" text={run.unsteered_text} />
        <Excerpt title="Steered" text={run.steered_text} isSteered />
      </div>
    </li>
  );
}

interface ExcerptProps {
  title: string;
  text: string;
  isSteered?: boolean;
}

function Excerpt({ title, text, isSteered = false }: ExcerptProps) {
  return (
    <div className={`border-l-2 pl-3 ${isSteered ? 'border-emerald-500/60' : 'border-slate-700'}`}>
      <p className="text-xs text-slate-400">{title}</p>
      {text === '' ? (
        <p className="text-slate-400 italic">Nothing: it ended at once.</p>
      ) : (
        <p className="line-clamp-3 break-words whitespace-pre-wrap text-slate-200">{text}</p>
      )}
    </div>
  );
}

/** Where it acted, when that is not where it was learned. */
function placeOf(feature: ResolvedFeature): string {
  return isElsewhere(feature)
    ? ` at ${hookShortName(feature.hook_type ?? '')} of layer ${feature.layer}`
    : '';
}

/** Such as `#107 number +2.00 × max`, with the place where it was not learned there. */
export function describeFeature(feature: ResolvedFeature): string {
  const { neuron_index: index, name, coefficient, unit, method } = feature;
  const view = METHODS[method];
  const sign = coefficient > 0 && method === 'add' ? '+' : '';
  const amount = view.value ? ` ${sign}${formatDecimal(coefficient, 2)}` : '';
  const suffix = view.value && view.hasUnit ? ` ${UNIT_SCALES[unit].suffix}` : '';
  const edit = method === 'add' ? '' : ` ${view.label.toLowerCase()}`;
  return `#${index}${name ? ` ${name}` : ''}${edit}${amount}${suffix}${placeOf(feature)}`;
}
