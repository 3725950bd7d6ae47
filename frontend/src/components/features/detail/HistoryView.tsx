import { History, Undo2 } from 'lucide-react';
import { Button } from '@/components/common/Button';
import { EmptyState } from '@/components/common/EmptyState';
import { ErrorBox } from '@/components/common/ErrorBox';
import { Fetched } from '@/components/common/Fetched';
import { Skeleton } from '@/components/common/Skeleton';
import { useAction } from '@/hooks/useAction';
import { useRequest } from '@/hooks/useRequest';
import { featureService } from '@/services/featureService';
import { useFeatureStore } from '@/stores/featureStore';
import type { FeatureChange } from '@/types/feature.types';
import { classNames } from '@/utils/classNames';
import { formatDateTime } from '@/utils/format';

const FIELDS: Readonly<Record<string, string>> = {
  name: 'label',
  description: 'description',
  is_favorite: 'favourite',
  tags: 'tags',
};

/** What people changed on the feature, the latest first; the latest can be taken back. */
export function HistoryView({ featureId }: { featureId: number }) {
  const request = useRequest(`history ${featureId}`, (signal) =>
    featureService.history(featureId, signal),
  );
  const undo = useAction(async () => {
    await useFeatureStore.getState().undo(featureId);
    request.again();
  });
  return (
    <Fetched {...request} skeleton={<Skeleton className="h-64" />}>
      {(changes) =>
        changes.length === 0 ? (
          <EmptyState
            icon={History}
            title="Nothing was changed yet"
            hint="Labels, descriptions, tags and favourites are kept with what stood there before."
          />
        ) : (
          <div className="space-y-4">
            <div className="flex items-center justify-between gap-4">
              <p className="text-sm text-slate-400">The latest change stands first.</p>
              <Button
                icon={Undo2}
                busy={undo.isBusy}
                disabled={undo.isBusy || changes.every((change) => change.is_undone)}
                onClick={() => void undo.run()}
              >
                Undo the latest change
              </Button>
            </div>
            {undo.error && <ErrorBox problem={undo.error} />}
            <ol className="space-y-2">
              {changes.map((change) => (
                <Change key={change.created_at} change={change} />
              ))}
            </ol>
          </div>
        )
      }
    </Fetched>
  );
}

function Change({ change }: { change: FeatureChange }) {
  const fields = Object.keys(change.after).filter((field) => field in FIELDS);
  return (
    <li
      className={classNames(
        'rounded-lg border border-slate-800 bg-slate-800/30 px-4 py-3 text-sm',
        change.is_undone && 'text-slate-400',
      )}
    >
      <p className="mb-1 text-xs text-slate-400">
        {formatDateTime(change.created_at)}
        {change.is_undone && ' · undone'}
      </p>
      {fields.map((field) => (
        <p key={field} className="break-words">
          <span className="text-slate-400">{FIELDS[field]}:</span>{' '}
          <del className="text-slate-400">{shown(change.before[field])}</del>
          <span aria-label="became"> → </span>
          <ins className={classNames('no-underline', !change.is_undone && 'text-slate-100')}>
            {shown(change.after[field])}
          </ins>
        </p>
      ))}
    </li>
  );
}

function shown(value: unknown): string {
  if (value === null || value === undefined || value === '') return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.length > 0 ? value.map(String).join(', ') : 'none';
  return typeof value === 'string' ? `“${value}”` : JSON.stringify(value);
}
