import { useFeatureRows } from '@/hooks/useFeatureRows';
import { useDiscovery, useInterpretableCount } from '@/hooks/useFeatures';
import { useUrlState } from '@/hooks/useUrlState';
import { useFeatureStore } from '@/stores/featureStore';
import type { Training } from '@/types/training.types';
import { datasetName } from '@/utils/trainings';
import { navigate } from '@/utils/urlState';
import { CompareModal } from './CompareModal';
import { CompareTray } from './CompareTray';
import { readTray } from './compareTray';
import { readTab } from './detail/detailTabs';
import { FeatureDetailModal } from './detail/FeatureDetailModal';
import { readSummary } from './discoverySummary';
import { DiscoveryCard } from './DiscoveryCard';
import { DiscoveryTiles } from './DiscoveryTiles';
import { saveText, steerWith, toggleFavourite, toggleRow } from './featureActions';
import { toListQuery } from './featureQuery';
import { FeatureViews } from './FeatureViews';
import { useTableState } from './useTableState';

interface TrainingFeaturesProps {
  training: Training;
  /** The features were measured anew: what is known of the training is out of date. */
  onMeasured: () => void;
}

/** Discovery, the views of one training's features, and the one that is open. */
export function TrainingFeatures({ training, onMeasured }: TrainingFeaturesProps) {
  const table = useTableState();
  const [openId, setOpenId] = useUrlState('feature');
  const [tabName, setTab] = useUrlState('ftab', 'replace');
  const hasFeatures = training.n_features > 0;
  const rows = useFeatureRows(hasFeatures ? toListQuery(training.id, table) : null);
  const [trayText] = useUrlState('compare', 'replace');
  const [isComparing, setComparing] = useUrlState('comparing');
  const tray = readTray(trayText);
  const discovery = useDiscovery(training.id, () => {
    useFeatureStore.getState().forget();
    onMeasured();
    rows.refetch();
  });
  const nInterpretable = useInterpretableCount(
    hasFeatures ? training.id : null,
    discovery.lastResult,
  );
  const id = openId === null ? null : Number(openId);
  const index = id === null ? -1 : rows.indexOf(id);
  const neighbour = (step: number) => (index < 0 ? null : (rows.rowAt(index + step)?.id ?? null));

  return (
    <>
      <DiscoveryCard trainingId={training.id} hasFeatures={hasFeatures} discovery={discovery}>
        {hasFeatures && (
          <DiscoveryTiles
            summary={readSummary(discovery.lastResult)}
            nStored={training.n_features}
            nInterpretable={nInterpretable}
          />
        )}
      </DiscoveryCard>
      {hasFeatures && (
        <FeatureViews
          trainingId={training.id}
          {...{ rows, table }}
          onOpen={setOpenId}
          hasKeyboard={id === null && !isComparing}
        />
      )}
      <CompareTray ids={tray} onCompare={() => setComparing('1')} />
      {isComparing && tray.length > 1 && (
        <CompareModal ids={tray} onClose={() => setComparing(null)} />
      )}
      {id !== null && Number.isInteger(id) && (
        <FeatureDetailModal
          id={id}
          trainingId={training.id}
          tab={readTab(tabName)}
          onTab={(tab) => setTab(tab === 'examples' ? null : tab)}
          datasetName={datasetName(training)}
          previousId={neighbour(-1)}
          nextId={neighbour(1)}
          isCompared={tray.includes(id)}
          onCompare={toggleRow}
          onStep={(next) => navigate({ feature: next }, 'replace')}
          onOpen={setOpenId}
          onClose={() => navigate({ feature: null, ftab: null })}
          onSave={(row, changes) => void saveText(row, changes)}
          onFavourite={toggleFavourite}
          onSteer={steerWith}
        />
      )}
    </>
  );
}
