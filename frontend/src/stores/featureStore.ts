import { create } from 'zustand';
import { isAborted, toApiError } from '@/services/api';
import { featureService, type FeatureListQuery } from '@/services/featureService';
import type { PageOf, Problem } from '@/types/api.types';
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

/** The rows of one order and filter as far as they were read. */
export interface FeatureList {
  /** What was asked, without the page; null before the first answer. */
  key: string | null;
  trainingId: string | null;
  total: number;
  /** There are more than `total`. */
  isCapped: boolean;
  /** Why the search was not answered as a text; null where it was, or was not asked to be. */
  liveMessage: string | null;
  /** Ids by page number, from 1. */
  pages: Record<number, number[]>;
  /** Where the page after each begins, for quick reading however deep it is. */
  cursors: Record<number, string>;
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
  /** How often everything was dropped: what is shown is asked for again. */
  forgotten: number;
  fetchList: (query: FeatureListQuery) => Promise<void>;
  fetchDetail: (id: number) => Promise<void>;
  fetchExamples: (id: number) => Promise<void>;
  fetchLens: (id: number) => Promise<void>;
  /** Shows the change at once and takes it back when it cannot be saved. */
  save: (id: number, changes: FeaturePatch) => Promise<boolean>;
  /** Takes back the latest change that a person made; rejects when there is none. */
  undo: (id: number) => Promise<void>;
  /** Drops everything read of a training whose features were measured anew. */
  forget: () => void;
}

export const emptyFeatureData: FeatureData = {
  rows: {},
  details: {},
  examples: {},
  lenses: {},
  list: {
    key: null,
    trainingId: null,
    total: 0,
    isCapped: false,
    liveMessage: null,
    pages: {},
    cursors: {},
  },
  requests: {},
};

/** Pages kept in memory; those farthest from the newest one go first. */
const KEPT_PAGES = 40;

/** Identifies an order and filter: the query without its page. */
export function listKey(query: FeatureListQuery): string {
  return JSON.stringify({ ...query, page: 0 });
}

export function applyPage(
  state: FeatureData,
  query: FeatureListQuery,
  { items: rows, pagination, live }: PageOf<FeatureRow>,
): Pick<FeatureData, 'rows' | 'list'> {
  const key = listKey(query);
  const isSame = state.list.key === key && state.list.total === pagination.total;
  const read = { ...(isSame ? state.list.pages : {}), [query.page]: rows.map((row) => row.id) };
  const kept = nearestPages(read, query.page);
  const cursor = pagination.next_cursor;
  const known = Object.fromEntries(rows.map((row) => [row.id, row]));
  const keptIds = new Set(Object.values(kept).flat());
  const old = Object.entries(state.rows).filter(([id]) => keptIds.has(Number(id)));
  return {
    rows: { ...Object.fromEntries(old), ...known },
    list: {
      key,
      trainingId: query.training_id,
      total: pagination.total,
      isCapped: pagination.total_is_capped ?? false,
      liveMessage: live?.message ?? null,
      pages: kept,
      cursors: {
        ...(isSame ? state.list.cursors : {}),
        ...(cursor ? { [query.page]: cursor } : {}),
      },
    },
  };
}

function nearestPages(pages: Record<number, number[]>, page: number): Record<number, number[]> {
  const entries = Object.entries(pages);
  if (entries.length <= KEPT_PAGES) return pages;
  const distance = ([number]: [string, number[]]) => Math.abs(Number(number) - page);
  return Object.fromEntries(entries.sort((a, b) => distance(a) - distance(b)).slice(0, KEPT_PAGES));
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

/** What the table shows is asked for page by page; another order or filter ends those requests. */
let listRequest: { key: string; controller: AbortController } | null = null;

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
    forgotten: 0,

    fetchList: async (query) => {
      const key = listKey(query);
      if (listRequest?.key !== key) {
        listRequest?.controller.abort();
        listRequest = { key, controller: new AbortController() };
      }
      const { signal } = listRequest.controller;
      await request('list', async () => {
        const { list } = get();
        const cursor = list.key === key ? list.cursors[query.page - 1] : null;
        const page = await featureService.list(query, signal, cursor);
        return applyPage(get(), query, page);
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
        return applyChanges(get(), id, written(saved));
      });
      const isSaved = get().requests[`save:${id}`]?.state === 'ready';
      if (!isSaved && before) {
        set((state) => applyChanges(state, id, written(before)));
      }
      return isSaved;
    },

    undo: async (id) => {
      const restored = await featureService.undo(id);
      set((state) => applyChanges(state, id, written(restored)));
    },

    forget: () => {
      listRequest?.controller.abort();
      listRequest = null;
      set(({ forgotten }) => ({ ...emptyFeatureData, forgotten: forgotten + 1 }));
    },
  };
});

/** What people write about a feature. */
function written({ name, description, is_favorite, tags }: FeatureRow): Partial<FeatureRow> {
  return { name, description, is_favorite, tags };
}

function definedChanges({
  name,
  description,
  is_favorite,
  tags,
}: FeaturePatch): Partial<FeatureRow> {
  return {
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(typeof is_favorite === 'boolean' ? { is_favorite } : {}),
    ...(tags ? { tags } : {}),
  };
}
