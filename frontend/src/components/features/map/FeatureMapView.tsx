import { Fetched } from '@/components/common/Fetched';
import { Skeleton } from '@/components/common/Skeleton';
import { useRequest } from '@/hooks/useRequest';
import { featureService } from '@/services/featureService';
import type { Range } from '../featureQuery';
import { AttentionLists } from './AttentionLists';
import { MapChart } from './MapChart';

interface FeatureMapViewProps {
  trainingId: string;
  onOpen: (id: number) => void;
  /** Shows what lies between bounds in the table. */
  onRanges: (ranges: Range[]) => void;
}

/** All features of a training at once, and those that need a look. */
export function FeatureMapView({ trainingId, onOpen, onRanges }: FeatureMapViewProps) {
  const request = useRequest(`map ${trainingId}`, (signal) =>
    featureService.map(trainingId, signal),
  );
  return (
    <Fetched {...request} skeleton={<Skeleton className="h-[36rem]" />}>
      {(map) => (
        <div className="grid items-start gap-6 xl:grid-cols-[1fr_20rem]">
          <MapChart map={map} onOpen={onOpen} onRanges={onRanges} />
          <AttentionLists map={map} onOpen={onOpen} onRanges={onRanges} />
        </div>
      )}
    </Fetched>
  );
}
