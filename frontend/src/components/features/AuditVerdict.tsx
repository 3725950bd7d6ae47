import { useLastSucceeded } from '@/hooks/useJobs';
import type { Job } from '@/types/job.types';
import { classNames } from '@/utils/classNames';
import { formatDateTime, formatInteger, formatShare } from '@/utils/format';

const NAMED = 5;
const LEAST_SHOWN = 0.001;

/** What the newest audit found, in words. */
export function AuditVerdict({ trainingId }: { trainingId: string }) {
  const job = useLastSucceeded('feature_audit', trainingId);
  const found = readAudit(job?.result);
  if (!job || !found) return null;
  const { nChecked, wrong, largestError, tolerance } = found;
  const nSame = nChecked - wrong.length;
  return (
    <p className={classNames('text-sm', wrong.length ? 'text-yellow-200' : 'text-emerald-300')}>
      {formatInteger(nSame)} of {formatInteger(nChecked)} examples came out the same (
      {formatDateTime(job.finished_at)}); the largest difference was {shareOf(largestError)} of the
      maximum, up to {formatShare(tolerance)} is rounding.
      {wrong.length > 0 && ` Not the same: ${named(wrong)}. Extract the features again.`}
    </p>
  );
}

interface Audit {
  nChecked: number;
  wrong: readonly number[];
  largestError: number;
  tolerance: number;
}

/** Read the result of an audit, whose fields the API leaves open. */
function readAudit(result: Job['result'] | undefined): Audit | null {
  const number = (name: string) => {
    const value = result?.[name];
    return typeof value === 'number' ? value : null;
  };
  const [nChecked, largestError, tolerance] = [
    number('n_checked'),
    number('largest_error'),
    number('tolerance'),
  ];
  if (nChecked === null || largestError === null || tolerance === null) return null;
  const wrong = Array.isArray(result?.wrong) ? result.wrong.map(indexOf) : [];
  return { nChecked, largestError, tolerance, wrong };
}

/** Below what is shown it is not zero. */
function shareOf(error: number): string {
  return error > 0 && error < LEAST_SHOWN
    ? `under ${formatShare(LEAST_SHOWN)}`
    : formatShare(error);
}

function indexOf(difference: unknown): number {
  const isNamed = typeof difference === 'object' && difference && 'neuron_index' in difference;
  return isNamed ? Number(difference.neuron_index) : NaN;
}

function named(indices: readonly number[]): string {
  const shown = indices.slice(0, NAMED).map((index) => `#${index}`);
  const more = indices.length - shown.length;
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '');
}
