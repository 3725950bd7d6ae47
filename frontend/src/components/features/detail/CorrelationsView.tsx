import { Fetched } from '@/components/common/Fetched';
import { InfoNote } from '@/components/common/InfoNote';
import { Skeleton } from '@/components/common/Skeleton';
import { useRequest } from '@/hooks/useRequest';
import { featureService } from '@/services/featureService';
import { formatCompact } from '@/utils/format';
import { RelatedTable, type RelatedColumn } from './RelatedTable';

const COLUMNS: readonly RelatedColumn[] = [
  { key: 'pearson', label: 'Pearson', digits: 2, isBar: true },
  { key: 'jaccard', label: 'Jaccard', digits: 2 },
  { key: 'pmi', label: 'PMI', digits: 2 },
  { key: 'together', label: 'Tokens', digits: 0 },
];

interface ViewProps {
  featureId: number;
  onOpen: (id: number) => void;
}

/** The features that fire together with this one. */
export function CorrelationsView({ featureId, onOpen }: ViewProps) {
  const request = useRequest(`correlations ${featureId}`, (signal) =>
    featureService.correlations(featureId, signal),
  );
  return (
    <Fetched {...request} skeleton={<Skeleton className="h-96" />}>
      {({ features, definition, n_tokens: nTokens }) => (
        <div className="space-y-6">
          <RelatedTable
            label="Features that fire together"
            features={features}
            columns={COLUMNS}
            onOpen={onOpen}
            empty="No other feature fires together with this one often enough to be counted."
          />
          <InfoNote>
            {definition}
            {nTokens !== null && ` Counted on ${formatCompact(nTokens)} tokens.`}
          </InfoNote>
        </div>
      )}
    </Fetched>
  );
}
