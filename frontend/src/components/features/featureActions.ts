import { useFeatureStore } from '@/stores/featureStore';
import { useSteeringStore } from '@/stores/steeringStore';
import { toast } from '@/stores/uiStore';
import type { FeaturePatch, FeatureRow } from '@/types/feature.types';
import { navigate } from '@/utils/urlState';
import { toggleCompared } from './compareTray';

export function toggleRow(row: FeatureRow): void {
  toggleCompared(row.id);
}

export function toggleFavourite(row: FeatureRow): void {
  void save(row.id, { is_favorite: !row.is_favorite });
}

export function steerWith(row: FeatureRow): void {
  useSteeringStore.getState().addFeature(row);
  navigate({ tab: 'steering', feature: null, ftab: null });
}

/** Saves what a person wrote; for ten seconds it can be taken back. */
export async function saveText(row: FeatureRow, changes: FeaturePatch): Promise<void> {
  const { name, description, tags } = row;
  const before: FeaturePatch = {
    ...('name' in changes ? { name } : {}),
    ...('description' in changes ? { description } : {}),
    ...('tags' in changes ? { tags } : {}),
  };
  if (!(await save(row.id, changes))) return;
  toast('success', `Feature #${row.neuron_index} saved`, {
    label: 'Undo',
    onClick: () => void save(row.id, before),
  });
}

async function save(id: number, changes: FeaturePatch): Promise<boolean> {
  const { save: saveFeature } = useFeatureStore.getState();
  const isSaved = await saveFeature(id, changes);
  const problem = useFeatureStore.getState().requests[`save:${id}`]?.problem;
  if (!isSaved && problem) toast('error', `Not saved: ${problem.message}`);
  return isSaved;
}
