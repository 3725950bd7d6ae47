import { Bar } from '@/components/common/Bar';
import { TableHead } from '@/components/common/TableHead';
import { quotedToken } from '@/components/visualizations/tokenText';
import { formatDecimal, formatInteger, formatShare } from '@/utils/format';
import type { TopToken } from '../featureMetadata';

interface TokenTableProps {
  tokens: readonly TopToken[];
  ruleTokens: readonly string[];
}

const COLUMNS = [
  { label: 'Token' },
  { label: 'Share of activation', isNumber: true, className: 'w-40' },
  { label: 'Firings', isNumber: true, className: 'w-20' },
  { label: 'Mean act.', isNumber: true, className: 'w-20' },
  { label: 'Fires on', isNumber: true, className: 'w-20' },
];

/** The tokens that carry the feature's activation, and how surely it fires on them. */
export function TokenTable({ tokens, ruleTokens }: TokenTableProps) {
  const most = Math.max(0, ...tokens.map(({ share }) => share ?? 0));
  return (
    <section aria-label="Top tokens" className="min-w-0">
      <h3 className="mb-3 font-medium">Tokens it fires on</h3>
      {tokens.length === 0 ? (
        <p className="text-sm text-slate-400">No token was counted.</p>
      ) : (
        <table className="w-full table-fixed text-sm">
          <TableHead columns={COLUMNS} />
          <tbody>
            {tokens.map((token) => (
              <tr key={token.token} className="border-t border-slate-800">
                <td className="truncate py-1.5 font-mono">“{quotedToken(token.token)}”</td>
                <td className="py-1.5">
                  <span className="flex items-center justify-end gap-2 tabular-nums">
                    <Bar
                      share={most ? (token.share ?? 0) / most : 0}
                      fill="bg-emerald-500"
                      className="w-20"
                    />
                    <span className="w-14 text-right">{formatShare(token.share)}</span>
                  </span>
                </td>
                <Figure>{formatInteger(token.count)}</Figure>
                <Figure>{formatDecimal(token.meanActivation, 2)}</Figure>
                <Figure>{formatShare(token.firingShare, 0)}</Figure>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {ruleTokens.length > 0 && (
        <p className="mt-3 text-sm text-slate-400">
          The rule that predicts best where it fires:{' '}
          <span className="font-mono text-slate-300">
            {ruleTokens.map((token) => `“${quotedToken(token)}”`).join(' ')}
          </span>
        </p>
      )}
    </section>
  );
}

function Figure({ children }: { children: string }) {
  return <td className="py-1.5 text-right text-slate-300 tabular-nums">{children}</td>;
}
