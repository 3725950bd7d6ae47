import { Activity } from 'lucide-react';
import { Card } from '@/components/common/Card';
import { ConfirmButton } from '@/components/common/ConfirmButton';
import { EmptyState } from '@/components/common/EmptyState';
import { ErrorBox } from '@/components/common/ErrorBox';
import { Fetched } from '@/components/common/Fetched';
import { JobProgress } from '@/components/common/JobProgress';
import { SkeletonList } from '@/components/common/Skeleton';
import { StatusBadge } from '@/components/common/StatusBadge';
import type { useSweeps } from '@/hooks/useSweeps';
import type { Sweep, SweepListed, SweptFeature } from '@/types/steering.types';
import { classNames } from '@/utils/classNames';
import { formatDateTime, formatInteger } from '@/utils/format';
import { hookShortName } from '@/utils/hookNames';
import { SideEffects } from './SideEffects';
import { SweepChart } from './SweepChart';
import { SweepTable } from './SweepTable';
import { SweepVerdict } from './SweepVerdict';

/** A strength that is taken over into the comparison. */
export interface UsedStrength {
  feature: SweptFeature;
  strength: number;
  unit: SweptFeature['rows'][number]['unit'];
}

interface SweepViewProps {
  sweeps: ReturnType<typeof useSweeps>;
  onUse: (used: UsedStrength) => void;
}

/** The newest sweeps, and the one that is looked at. */
export function SweepView({ sweeps, onUse }: SweepViewProps) {
  const { id, list, sweep, job, isRunning } = sweeps;
  return (
    <div className="space-y-6">
      {sweeps.remove.error && <ErrorBox problem={sweeps.remove.error} />}
      <Fetched
        {...list}
        data={list.data}
        skeleton={<SkeletonList label="Loading sweeps" count={1} className="h-12" />}
      >
        {({ items }) =>
          items.length > 0 && (
            <ul aria-label="Sweeps" className="flex gap-2 overflow-x-auto pb-1">
              {items.map((entry) => (
                <SweepTab
                  key={entry.id}
                  sweep={entry}
                  isOpen={entry.id === id}
                  onOpen={() => sweeps.select(entry.id)}
                />
              ))}
            </ul>
          )
        }
      </Fetched>
      {id === null ? (
        <EmptyState
          icon={Activity}
          title="No sweep is open"
          hint="A sweep tries several strengths at once, chooses the best on half of the prompts and shows on the other half what it is worth beside its controls."
        />
      ) : (
        <>
          {isRunning && (
            <Card label="Running sweep">
              <JobProgress
                label="Sweeping strengths"
                job={job ?? waiting(sweep.data)}
                onCancel={() => sweeps.cancel(id)}
              />
            </Card>
          )}
          <Fetched
            {...sweep}
            skeleton={<SkeletonList label="Loading the sweep" count={2} className="h-64" />}
          >
            {(found) => (
              <SweepDetail
                sweep={found}
                isRunning={isRunning}
                onUse={onUse}
                onRemove={() => void sweeps.remove.run(found.id)}
              />
            )}
          </Fetched>
        </>
      )}
    </div>
  );
}

function waiting(sweep: Sweep | null) {
  return {
    state: sweep?.state ?? 'queued',
    progress: sweep?.progress ?? 0,
    message: sweep?.message ?? null,
    eta_seconds: sweep?.eta_seconds ?? null,
    requested: null,
  };
}

interface SweepTabProps {
  sweep: SweepListed;
  isOpen: boolean;
  onOpen: () => void;
}

function SweepTab({ sweep, isOpen, onOpen }: SweepTabProps) {
  const names = sweep.features.map((feature) => `#${feature.neuron_index}`).join(', ');
  return (
    <li>
      <button
        type="button"
        aria-pressed={isOpen}
        onClick={onOpen}
        className={classNames(
          'w-56 rounded-lg border px-3 py-2 text-left text-sm transition-colors',
          isOpen
            ? 'border-emerald-500/60 bg-emerald-500/10'
            : 'border-slate-800 bg-slate-900/50 hover:border-slate-600',
        )}
      >
        <span className="flex items-center justify-between gap-2">
          <span className="truncate font-mono text-slate-100">{names}</span>
          <StatusBadge status={sweep.state} />
        </span>
        <span className="mt-1 block truncate text-xs text-slate-400">
          {formatDateTime(sweep.created_at)} · {formatInteger(sweep.prompts.length)} prompt
          {sweep.prompts.length === 1 ? '' : 's'}
        </span>
      </button>
    </li>
  );
}

interface SweepDetailProps {
  sweep: Sweep;
  isRunning: boolean;
  onUse: (used: UsedStrength) => void;
  onRemove: () => void;
}

function SweepDetail({ sweep, isRunning, onUse, onRemove }: SweepDetailProps) {
  const { table } = sweep;
  return (
    <div className="space-y-6">
      {sweep.error_message && !isRunning && (
        <ErrorBox problem={{ message: sweep.error_message, code: sweep.error_code ?? undefined }} />
      )}
      {table && (
        <p className="max-w-4xl text-sm text-slate-400">
          {formatInteger(table.n_prompts_done)} of {formatInteger(sweep.prompts.length)} prompts
          done{table.stopped ? '; stopped, what is finished is kept' : ''}.{' '}
          {sweep.select_by_definition}
        </p>
      )}
      {table?.features.map((feature) => (
        <Card
          key={feature.id}
          label={`Sweep of feature ${feature.neuron_index}`}
          className="space-y-6"
        >
          <h3 className="text-lg font-semibold">
            <span className="font-mono text-slate-400">#{feature.neuron_index}</span>{' '}
            {feature.name ?? 'No label'}
            <span className="ml-3 text-sm font-normal text-slate-400">
              {feature.method} at layer {feature.layer}
              {feature.hook_type && `, ${hookShortName(feature.hook_type)}`}
            </span>
          </h3>
          <SweepVerdict
            feature={feature}
            onUse={() => {
              const { best } = feature;
              if (best) onUse({ feature, strength: best.strength, unit: best.unit });
            }}
          />
          <SweepChart feature={feature} />
          <SweepTable
            feature={feature}
            definitions={sweep.definitions}
            scoreDefinition={sweep.select_by_definition}
            onUse={(row) => onUse({ feature, strength: row.strength ?? 0, unit: row.unit })}
          />
          <SideEffects feature={feature} />
          {feature.notes.map((note) => (
            <p key={note} className="text-xs text-slate-400">
              {note}
            </p>
          ))}
        </Card>
      ))}
      {!isRunning && (
        <div className="flex justify-end">
          <ConfirmButton label="Delete this sweep" onConfirm={onRemove} />
        </div>
      )}
    </div>
  );
}
