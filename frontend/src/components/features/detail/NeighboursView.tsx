import { Fetched } from '@/components/common/Fetched';
import { InfoNote } from '@/components/common/InfoNote';
import { Skeleton } from '@/components/common/Skeleton';
import { useRequest } from '@/hooks/useRequest';
import { featureService } from '@/services/featureService';
import type { RelatedFeature } from '@/types/feature.types';
import { RelatedTable, type RelatedColumn } from './RelatedTable';

const COLUMNS: readonly RelatedColumn[] = [
  { key: 'cosine', label: 'Cosine', digits: 2, isBar: true },
];

interface ViewProps {
  featureId: number;
  onOpen: (id: number) => void;
}

/** The features whose directions are the closest. */
export function NeighboursView({ featureId, onOpen }: ViewProps) {
  const request = useRequest(`neighbours ${featureId}`, (signal) =>
    featureService.neighbours(featureId, signal),
  );
  const column = (title: string, features: readonly RelatedFeature[]) => (
    <section aria-label={title} className="min-w-0">
      <h3 className="mb-2 font-medium">{title}</h3>
      <RelatedTable
        label={title}
        features={features}
        columns={COLUMNS}
        onOpen={onOpen}
        empty="No neighbours were measured."
      />
    </section>
  );
  return (
    <Fetched {...request} skeleton={<Skeleton className="h-96" />}>
      {({ decoder, encoder }) => (
        <div className="space-y-6">
          <div className="grid gap-8 lg:grid-cols-2">
            {column('Writes alike (decoder)', decoder)}
            {column('Reads alike (encoder)', encoder)}
          </div>
          <InfoNote>
            Cosine of the two directions: 1 is the same direction, 0 a right angle. Features that
            write alike but read different things split one meaning; a pair close to 1 in both is a
            duplicate.
          </InfoNote>
        </div>
      )}
    </Fetched>
  );
}
