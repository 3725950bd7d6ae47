import { lazy, Suspense, useRef } from 'react';
import { Segmented } from '@/components/common/Segmented';
import { Skeleton } from '@/components/common/Skeleton';
import type { FeatureRows } from '@/hooks/useFeatureRows';
import { useKeys } from '@/hooks/useKeys';
import { useUrlChoice } from '@/hooks/useUrlState';
import { navigate } from '@/utils/urlState';
import { steerWith, toggleFavourite, toggleRow } from './featureActions';
import { FeatureBrowser } from './FeatureBrowser';
import { defaultTable, type Range, tablePatch, type TableState } from './featureQuery';
import { FeatureExchange } from './exchange/FeatureExchange';
import { togglePicked, usePicked } from './pickedRows';
import { ProbeView } from './probe/ProbeView';

const FeatureMapView = lazy(async () => ({
  default: (await import('./map/FeatureMapView')).FeatureMapView,
}));

const VIEWS = [
  { value: 'table', label: 'Table' },
  { value: 'map', label: 'Map' },
  { value: 'text', label: 'Your text' },
] as const;

interface FeatureViewsProps {
  trainingId: string;
  rows: FeatureRows;
  table: TableState;
  onOpen: (id: number) => void;
  /** Off while a dialog has the keyboard. */
  hasKeyboard: boolean;
}

/** The features of a training as a table, as a map, or by the text they fire on. */
export function FeatureViews({ trainingId, rows, table, onOpen, hasKeyboard }: FeatureViewsProps) {
  const [view, setView] = useUrlChoice('fview', ['table', 'map', 'text']);
  const picked = usePicked();
  const textRef = useRef<HTMLTextAreaElement>(null);
  const tryText = () => {
    setView('text');
    // The field is there once the view is.
    requestAnimationFrame(() => textRef.current?.focus());
  };
  useKeys({ t: tryText }, hasKeyboard);
  const showRanges = (ranges: Range[]) => {
    navigate({ ...tablePatch({ ...defaultTable, ranges }), fview: null });
  };

  const lead = <Segmented label="View" options={VIEWS} value={view} onChange={setView} />;
  const trail = <FeatureExchange trainingId={trainingId} table={table} />;

  return (
    <div className="space-y-3 min-[1760px]:-mx-56">
      {view === 'table' ? (
        <FeatureBrowser
          {...{ rows, table, picked, hasKeyboard, lead, trail }}
          onTable={(next) => navigate(tablePatch(next), 'replace')}
          onOpen={onOpen}
          onFavourite={toggleFavourite}
          onSteer={steerWith}
          onCompare={toggleRow}
          onPick={togglePicked}
        />
      ) : (
        <div className="flex flex-wrap items-center justify-between gap-3">
          {lead}
          {trail}
        </div>
      )}
      {view === 'map' && (
        <Suspense fallback={<Skeleton className="h-[36rem]" />}>
          <FeatureMapView trainingId={trainingId} onOpen={onOpen} onRanges={showRanges} />
        </Suspense>
      )}
      {view === 'text' && <ProbeView trainingId={trainingId} onOpen={onOpen} textRef={textRef} />}
    </div>
  );
}
