import { create } from 'zustand';
import { isAborted, toApiError } from '@/services/api';
import { featureService, type FeatureListQuery } from '@/services/featureService';
import type { Pagination, Problem } from '@/types/api.types';
import type {
  Feature,
  FeatureExample,
  FeaturePatch,
  FeatureRow,
  LogitLens,
} from '@/types/feature.types';

const EXAMPLES_SHOWN = 100;

export interface RequestStatus {
  state: 'loading' | 'ready' | 'error';
  problem: Problem | null;
}

/** The page of the table that was read last, with the query that it answers. */
export interface FeatureList {
  query: FeatureListQuery | null;
  ids: number[];
  pagination: Pagination | null;
}

export interface FeatureData {
  rows: Record<number, FeatureRow>;
  details: Record<number, Feature>;
  examples: Record<number, FeatureExample[]>;
  lenses: Record<number, LogitLens>;
  list: FeatureList;
  /** By what was asked for: `list`, `detail:7`, `examples:7`, `lens:7`, `save:7`. */
  requests: Record<string, RequestStatus>;
}

interface FeatureStore extends FeatureData {
  fetchList: (query: FeatureListQuery) => Promise<void>;
  fetchDetail: (id: number) => Promise<void>;
  fetchExamples: (id: number) => Promise<void>;
  fetchLens: (id: number) => Promise<void>;
  /** Shows the change at once and takes it back when it cannot be saved. */
  save: (id: number, changes: FeaturePatch) => Promise<boolean>;
  /** Drops everything read of a training whose features were measured anew. */
  forget: () => void;
}

export const emptyFeatureData: FeatureData = {
  rows: {},
  details: {},
  examples: {},
  lenses: {},
  list: { query: null, ids: [], pagination: null },
  requests: {},
};

export function applyPage(
  state: FeatureData,
  query: FeatureListQuery,
  rows: readonly FeatureRow[],
  pagination: Pagination,
): Pick<FeatureData, 'rows' | 'list'> {
  const known = Object.fromEntries(rows.map((row) => [row.id, row]));
  return {
    rows: { ...state.rows, ...known },
    list: { query, ids: rows.map((row) => row.id), pagination },
  };
}

/** The change in the table row and in the detail, whichever are known. */
export function applyChanges(
  state: FeatureData,
  id: number,
  changes: Partial<FeatureRow>,
): Pick<FeatureData, 'rows' | 'details'> {
  const row = state.rows[id];
  const detail = state.details[id];
  return {
    rows: row ? { ...state.rows, [id]: { ...row, ...changes } } : state.rows,
    details: detail ? { ...state.details, [id]: { ...detail, ...changes } } : state.details,
  };
}

export function applyRequest(
  state: FeatureData,
  key: string,
  status: RequestStatus['state'],
  problem: Problem | null = null,
): Pick<FeatureData, 'requests'> {
  return { requests: { ...state.requests, [key]: { state: status, problem } } };
}

let listRequest: AbortController | null = null;

export const useFeatureStore = create<FeatureStore>((set, get) => {
  const request = async (key: string, run: () => Promise<Partial<FeatureData>>) => {
    set((state) => applyRequest(state, key, 'loading'));
    try {
      const loaded = await run();
      set((state) => ({ ...loaded, ...applyRequest(state, key, 'ready') }));
    } catch (error) {
      if (!isAborted(error)) set((state) => applyRequest(state, key, 'error', toApiError(error)));
    }
  };

  return {
    ...emptyFeatureData,

    fetchList: async (query) => {
      listRequest?.abort();
      const controller = new AbortController();
      listRequest = controller;
      await request('list', async () => {
        const page = await featureService.list(query, controller.signal);
        return applyPage(get(), query, page.items, page.pagination);
      });
    },

    fetchDetail: (id) =>
      request(`detail:${id}`, async () => {
        const feature = await featureService.get(id);
        return { details: { ...get().details, [id]: feature } };
      }),

    fetchExamples: (id) =>
      request(`examples:${id}`, async () => {
        const examples = await featureService.examples(id, EXAMPLES_SHOWN);
        return { examples: { ...get().examples, [id]: examples } };
      }),

    fetchLens: (id) =>
      request(`lens:${id}`, async () => {
        const lens = await featureService.logitLens(id);
        return { lenses: { ...get().lenses, [id]: lens } };
      }),

    save: async (id, changes) => {
      const before = get().rows[id] ?? get().details[id];
      set((state) => applyChanges(state, id, definedChanges(changes)));
      await request(`save:${id}`, async () => {
        const saved = await featureService.update(id, changes);
        const { name, description, is_favorite } = saved;
        return applyChanges(get(), id, { name, description, is_favorite });
      });
      const isSaved = get().requests[`save:${id}`]?.state === 'ready';
      if (!isSaved && before) {
        const { name, description, is_favorite } = before;
        set((state) => applyChanges(state, id, { name, description, is_favorite }));
      }
      return isSaved;
    },

    forget: () => {
      listRequest?.abort();
      set(emptyFeatureData);
    },
  };
});

function definedChanges({ name, description, is_favorite }: FeaturePatch): Partial<FeatureRow> {
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(typeof is_favorite === 'boolean' ? { is_favorite } : {}),
  };
}
