import { useFeatureRows } from '@/hooks/useFeatureRows';
import { useDiscovery } from '@/hooks/useFeatures';
import { useUrlState } from '@/hooks/useUrlState';
import { useFeatureStore } from '@/stores/featureStore';
import { useSteeringStore } from '@/stores/steeringStore';
import { toast } from '@/stores/uiStore';
import type { FeatureRow } from '@/types/feature.types';
import type { Training } from '@/types/training.types';
import { datasetName } from '@/utils/trainings';
import { navigate } from '@/utils/urlState';
import { CompareModal } from './CompareModal';
import { CompareTray } from './CompareTray';
import { readTray, toggleCompared } from './compareTray';
import { readSummary } from './discoverySummary';
import { DiscoveryCard } from './DiscoveryCard';
import { DiscoveryTiles } from './DiscoveryTiles';
import { DETAIL_TABS, FeatureDetailModal } from './FeatureDetailModal';
import { FeatureBrowser } from './FeatureBrowser';
import { tablePatch, toListQuery } from './featureQuery';
import { useTableState } from './useTableState';

interface TrainingFeaturesProps {
  training: Training;
  /** The features were measured anew: what is known of the training is out of date. */
  onMeasured: () => void;
}

/** Discovery, table and detail of one training's features. */
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
  const id = openId === null ? null : Number(openId);
  const index = id === null ? -1 : rows.indexOf(id);
  const neighbour = (step: number) => (index < 0 ? null : (rows.rowAt(index + step)?.id ?? null));
  const compare = () => setComparing('1');

  return (
    <>
      <DiscoveryCard trainingId={training.id} hasFeatures={hasFeatures} discovery={discovery}>
        {hasFeatures && (
          <DiscoveryTiles
            summary={readSummary(discovery.lastResult)}
            nStored={training.n_features}
          />
        )}
      </DiscoveryCard>
      {hasFeatures && (
        <FeatureBrowser
          rows={rows}
          table={table}
          onTable={(next) => navigate(tablePatch(next), 'replace')}
          onOpen={setOpenId}
          onFavourite={toggleFavourite}
          onSteer={steerWith}
          onCompare={toggleRow}
          hasKeyboard={id === null && !isComparing}
        />
      )}
      <CompareTray ids={tray} onCompare={compare} />
      {isComparing && tray.length > 1 && (
        <CompareModal ids={tray} onClose={() => setComparing(null)} />
      )}
      {id !== null && Number.isInteger(id) && (
        <FeatureDetailModal
          id={id}
          tab={DETAIL_TABS.find((tab) => tab.id === tabName)?.id ?? 'examples'}
          onTab={(tab) => setTab(tab === 'examples' ? null : tab)}
          datasetName={datasetName(training)}
          previousId={neighbour(-1)}
          nextId={neighbour(1)}
          isCompared={tray.includes(id)}
          onCompare={toggleRow}
          onOpen={(next) => navigate({ feature: next }, 'replace')}
          onClose={() => navigate({ feature: null, ftab: null })}
          onSave={(row, changes) => void saveText(row, changes)}
          onFavourite={toggleFavourite}
          onSteer={steerWith}
        />
      )}
    </>
  );
}

function toggleRow(row: FeatureRow): void {
  toggleCompared(row.id);
}

function toggleFavourite(row: FeatureRow): void {
  void save(row.id, { is_favorite: !row.is_favorite });
}

function steerWith(row: FeatureRow): void {
  useSteeringStore.getState().addFeature(row);
  navigate({ tab: 'steering', feature: null, ftab: null });
}

interface TextChanges {
  name?: string | null;
  description?: string | null;
}

/** Saves a label or description; for ten seconds it can be taken back. */
async function saveText(row: FeatureRow, changes: TextChanges): Promise<void> {
  const before: TextChanges = {
    ...('name' in changes ? { name: row.name } : {}),
    ...('description' in changes ? { description: row.description } : {}),
  };
  if (!(await save(row.id, changes))) return;
  toast('success', `Feature #${row.neuron_index} saved`, {
    label: 'Undo',
    onClick: () => void save(row.id, before),
  });
}

async function save(
  id: number,
  changes: TextChanges & { is_favorite?: boolean },
): Promise<boolean> {
  const { save: saveFeature } = useFeatureStore.getState();
  const isSaved = await saveFeature(id, changes);
  const problem = useFeatureStore.getState().requests[`save:${id}`]?.problem;
  if (!isSaved && problem) toast('error', `Not saved: ${problem.message}`);
  return isSaved;
}
