import { featureService } from '@/services/featureService';
import { useFeatureStore } from '@/stores/featureStore';
import { MAX_STEERED, useSteeringStore } from '@/stores/steeringStore';
import { toast } from '@/stores/uiStore';
import type { FeaturePatch, FeatureRow } from '@/types/feature.types';
import { navigate } from '@/utils/urlState';

/** Rows that were scrolled away are read again. */
function rowsOf(ids: readonly number[]): Promise<FeatureRow[]> {
  const { rows } = useFeatureStore.getState();
  return Promise.all(ids.map(async (id) => rows[id] ?? featureService.get(id)));
}

function failed(failure: unknown): void {
  toast('error', failure instanceof Error ? failure.message : 'The features could not be read');
}

/**
 * Changes all that need it; for ten seconds it can be taken back.
 *
 * @param what The deed, for the message: "3 features tagged bible".
 * @param changeOf The change of a row, or null when there is nothing to do.
 */
export async function changeAll(
  ids: readonly number[],
  what: string,
  changeOf: (row: FeatureRow) => FeaturePatch | null,
): Promise<void> {
  const { save, undo } = useFeatureStore.getState();
  try {
    const rows = await rowsOf(ids);
    const changes = rows.flatMap((row) => {
      const change = changeOf(row);
      return change ? [{ id: row.id, change }] : [];
    });
    const saved = await Promise.all(changes.map(({ id, change }) => save(id, change)));
    const done = changes.filter((_, place) => saved[place]).map(({ id }) => id);
    if (done.length < changes.length) {
      toast('error', `${changes.length - done.length} of ${changes.length} were not saved`);
    }
    if (done.length === 0) return;
    toast('success', `${done.length} ${done.length === 1 ? 'feature' : 'features'} ${what}`, {
      label: 'Undo',
      onClick: () => void Promise.all(done.map(undo)).catch(failed),
    });
  } catch (failure) {
    failed(failure);
  }
}

export async function steerWithAll(ids: readonly number[]): Promise<void> {
  try {
    const rows = await rowsOf(ids.slice(0, MAX_STEERED));
    rows.forEach(useSteeringStore.getState().addFeature);
    navigate({ tab: 'steering', feature: null, ftab: null });
  } catch (failure) {
    failed(failure);
  }
}
