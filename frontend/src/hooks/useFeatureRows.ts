import { useEffect, useEffectEvent, useState } from 'react';
import type { FeatureListQuery } from '@/services/featureService';
import { listKey, useFeatureStore } from '@/stores/featureStore';
import type { Problem } from '@/types/api.types';
import type { FeatureRow } from '@/types/feature.types';
import { useLiveFetch } from './usePoll';

/** Rows asked for at once; the API's most. */
export const ROWS_PER_PAGE = 100;
/** A page that is only flown over is not asked for. */
const SETTLE_MS = 60;

/** All rows of an order and filter, of which only those that were looked at are here. */
export interface FeatureRows {
  /** Null before the first answer. */
  total: number | null;
  /** There are more than `total`: the server stops counting broad filters. */
  isCapped: boolean;
  /** Why the search has no answer as a text; null where it has one or needs none. */
  liveMessage: string | null;
  /** Undefined while the row is on its way. */
  rowAt: (index: number) => FeatureRow | undefined;
  indexOf: (id: number) => number;
  /** Tells which rows are in sight, so that they are fetched. */
  show: (first: number, last: number) => void;
  /** Another order or filter is on its way; what is shown answers the one before. */
  isLoading: boolean;
  problem: Problem | null;
  refetch: () => void;
}

type Filter = Omit<FeatureListQuery, 'page' | 'limit'>;

/**
 * The rows that answer the filter; those of the one before stay in sight until the first arrive.
 *
 * A search of several words is also read as a text: once its rows are here, they are asked for with
 * the features that fire on it among them. That wakes the model, so one word does not.
 */
export function useFeatureRows(asked: Filter | null): FeatureRows {
  const rows = useFeatureStore((state) => state.rows);
  const list = useFeatureStore((state) => state.list);
  const live = asked && isText(asked.search) ? { ...asked, live: true } : null;
  const isFound = list.key !== null && [keyOf(asked), keyOf(live)].includes(list.key);
  const filter = live && isFound ? live : asked;
  const request = useFeatureStore((state) => state.requests.list);
  const { fetchList } = useFeatureStore.getState();
  // Pages, not rows: scrolling then draws nothing but the table until another page is in sight.
  const [range, setRange] = useState<readonly [number, number]>([1, 1]);

  const key = keyOf(filter);
  const isCurrent = list.key === key;
  const isSameTraining = filter !== null && list.trainingId === filter.training_id;
  const fetchPage = async (page: number) => {
    if (filter) await fetchList({ ...filter, page, limit: ROWS_PER_PAGE });
  };
  const wanted = pagesOf(range);
  const missing = isCurrent ? wanted.filter((page) => !(page in list.pages)) : [];
  const fetchMissing = useEffectEvent(() => void Promise.all(missing.map(fetchPage)));
  const missingKey = missing.join();

  const refetch = () => Promise.all((isCurrent ? wanted : [1]).map(fetchPage));
  useLiveFetch(refetch, key);
  useEffect(() => {
    if (missingKey === '') return undefined;
    const timer = setTimeout(() => fetchMissing(), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [missingKey]);

  return {
    total: isSameTraining ? list.total : null,
    isCapped: isSameTraining && list.isCapped,
    liveMessage: isCurrent ? list.liveMessage : null,
    rowAt: (index) => {
      const id = list.pages[pageOf(index)]?.[index % ROWS_PER_PAGE];
      return id === undefined || !isSameTraining ? undefined : rows[id];
    },
    indexOf: (id) => indexIn(list.pages, id),
    show: (first, last) => {
      const next = [pageOf(first), pageOf(last)] as const;
      if (next[0] !== range[0] || next[1] !== range[1]) setRange(next);
    },
    isLoading: key !== null && !isCurrent && request?.state !== 'error',
    problem: request?.state === 'error' ? request.problem : null,
    refetch: () => void refetch(),
  };
}

function keyOf(filter: Filter | null): string | null {
  return filter && listKey({ ...filter, page: 0, limit: ROWS_PER_PAGE });
}

function isText(search: string | undefined): boolean {
  return search !== undefined && /\S\s+\S/.test(search);
}

function pageOf(index: number): number {
  return Math.floor(index / ROWS_PER_PAGE) + 1;
}

function pagesOf([first, last]: readonly [number, number]): number[] {
  return Array.from({ length: last - first + 1 }, (_, step) => first + step);
}

function indexIn(pages: Readonly<Record<number, number[]>>, id: number): number {
  for (const [page, ids] of Object.entries(pages)) {
    const position = ids.indexOf(id);
    if (position >= 0) return (Number(page) - 1) * ROWS_PER_PAGE + position;
  }
  return -1;
}
