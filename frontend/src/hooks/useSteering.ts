import { useEffect } from 'react';
import { toApiError } from '@/services/api';
import { featureService } from '@/services/featureService';
import { modelService } from '@/services/modelService';
import { useSteeringStore, type Steered } from '@/stores/steeringStore';
import { configPatch, readConfig } from '@/stores/steeringUrl';
import { toast } from '@/stores/uiStore';
import type { FeatureRow } from '@/types/feature.types';
import { navigate } from '@/utils/urlState';
import { useRequest } from './useRequest';

/** Browsers refuse more than about twenty changes of the address per second. */
const WRITE_DELAY_MS = 250;
const FOUND_SHOWN = 8;

/**
 * Keeps the page's address and the steering configuration the same while mounted.
 *
 * An address that holds a configuration wins when it is opened or gone back to; afterwards every
 * change is written to it. What was chosen on another tab is kept when the address holds nothing.
 */
export function useSteeringAddress(): void {
  useEffect(() => {
    const { setConfig, config } = useSteeringStore.getState();
    const isUntouched = config.steered.length === 0 && config.prompt === '';
    const read = () => {
      const opened = readConfig(window.location.search);
      if (opened) setConfig(opened);
    };
    const write = () => navigate(configPatch(useSteeringStore.getState().config), 'replace');

    if (isUntouched) read();
    write();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const unsubscribe = useSteeringStore.subscribe((state, previous) => {
      if (state.config === previous.config) return;
      clearTimeout(timer);
      timer = setTimeout(write, WRITE_DELAY_MS);
    });
    window.addEventListener('popstate', read);
    return () => {
      clearTimeout(timer);
      unsubscribe();
      window.removeEventListener('popstate', read);
    };
  }, []);
}

/** A selected feature with what is known of it; null until its row was read. */
export interface SelectedFeature extends Steered {
  row: FeatureRow | null;
}

/** The selected features; those that came with the address are read, those that are gone dropped. */
export function useSelectedFeatures(): SelectedFeature[] {
  const steered = useSteeringStore((state) => state.config.steered);
  const known = useSteeringStore((state) => state.known);
  const unknown = steered.filter(({ id }) => !(id in known)).map(({ id }) => id);

  useRequest(unknown.length > 0 ? unknown.join() : null, async () => {
    const { learn, removeFeature } = useSteeringStore.getState();
    await Promise.all(
      unknown.map(async (id) => {
        try {
          learn(await featureService.get(id));
        } catch (error) {
          const { status, message } = toApiError(error);
          if (status !== 404) throw error;
          removeFeature(id);
          toast('error', `Feature ${id} is no longer there: ${message}`);
        }
      }),
    );
  });
  return steered.map((entry) => ({ ...entry, row: known[entry.id] ?? null }));
}

/** The feature that a condition reads; one that is gone takes the condition with it. */
export function useConditionFeature(): FeatureRow | null {
  const id = useSteeringStore((state) => state.config.where.condition?.id ?? null);
  const row = useSteeringStore((state) => (id === null ? undefined : state.known[id]));
  useRequest(id === null || row ? null : `condition/${id}`, async () => {
    if (id === null) return;
    const { learn, updateWhere } = useSteeringStore.getState();
    try {
      learn(await featureService.get(id));
    } catch (error) {
      const { status, message } = toApiError(error);
      if (status !== 404) throw error;
      updateWhere({ condition: null });
      toast('error', `The feature of the condition is no longer there: ${message}`);
    }
  });
  return row ?? null;
}

/** How a model cuts a text, and what tokens given by their ids are. */
export function useTokens(modelId: string | null, text: string, ids: readonly number[]) {
  const isAsked = modelId !== null && (text !== '' || ids.length > 0);
  return useRequest(isAsked ? `tokens/${modelId}/${ids.join()}/${text}` : null, (signal) =>
    modelService.tokenize(modelId ?? '', { text, token_ids: [...ids] }, signal),
  );
}

export type FoundOrder = 'max_activation' | 'output_score';

/** The features of a training: the best matches of a search, or the first by some figure. */
export function useFeatureSearch(trainingId: string | null, search: string, order: FoundOrder) {
  const key = trainingId && `${trainingId} ${order} ${search}`;
  return useRequest(key, async (signal) => {
    const { items } = await featureService.list(
      {
        training_id: trainingId ?? '',
        page: 1,
        limit: FOUND_SHOWN,
        // The strongest of all that has the word somewhere is hardly ever what was looked for.
        sort_by: search && order === 'max_activation' ? 'relevance' : order,
        order: 'desc',
        ...(search ? { search } : {}),
      },
      signal,
    );
    return items;
  });
}
