import { formatInteger } from '@/utils/format';
import { readReport } from './importReport';

/** What an import did, or what it would do. */
export function ImportReport({ result }: { result: Readonly<Record<string, unknown>> }) {
  const { isDryRun, failure, counts, refused } = readReport(result);
  return (
    <section
      aria-label="Import report"
      className="rounded-lg border border-slate-800 bg-slate-800/30 p-3 text-sm"
    >
      <h4 className="mb-2 font-medium">{isDryRun ? 'It would import' : 'Imported'}</h4>
      {failure && <p className="mb-2 text-red-300">Nothing: {failure}</p>}
      <dl className="grid grid-cols-2 gap-x-4 gap-y-1">
        {counts.map(({ label, count }) => (
          <div key={label} className="flex justify-between gap-2">
            <dt className="text-slate-400">{label}</dt>
            <dd className="font-mono tabular-nums">{formatInteger(count)}</dd>
          </div>
        ))}
      </dl>
      {refused.length > 0 && (
        <ul className="mt-2 list-disc space-y-1 pl-5 text-xs text-slate-300">
          {refused.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
    </section>
  );
}
