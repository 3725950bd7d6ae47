const COUNTS: readonly [key: string, label: string][] = [
  ['n_new', 'New features'],
  ['n_changed', 'Changed'],
  ['n_unchanged', 'Unchanged'],
  ['n_features', 'Features'],
  ['n_skipped', 'Already there'],
  ['n_examples', 'Contexts'],
  ['n_kept', 'Notes kept here'],
  ['n_refused', 'Refused'],
];
const REASONS = 5;

export interface Report {
  /** Nothing was written. */
  isDryRun: boolean;
  /** Why nothing could be imported; null when it could. */
  failure: string | null;
  counts: { label: string; count: number }[];
  /** The first few reasons of refusals, each once. */
  refused: string[];
}

/** Read the result of an import's job, whose fields the API leaves open. */
export function readReport(result: Readonly<Record<string, unknown>>): Report {
  const listed = Array.isArray(result.refused) ? (result.refused as unknown[]) : [];
  const reasons = listed.flatMap((entry) => {
    const reason = (entry as { reason?: unknown } | null)?.reason;
    return typeof reason === 'string' ? [reason] : [];
  });
  return {
    isDryRun: result.dry_run === true,
    failure: typeof result.would_fail === 'string' ? result.would_fail : null,
    counts: COUNTS.flatMap(([key, label]) => {
      const count = result[key];
      return typeof count === 'number' ? [{ label, count }] : [];
    }),
    refused: [...new Set(reasons)].slice(0, REASONS),
  };
}
