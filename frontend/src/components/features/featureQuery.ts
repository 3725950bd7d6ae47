import type { FeatureListQuery, FeatureSort } from '@/services/featureService';
import type { UrlPatch } from '@/utils/urlState';

/** What of the table stands in the page's address. */
export interface TableState {
  search: string;
  sort: FeatureSort;
  order: 'asc' | 'desc';
  onlyFavourites: boolean;
  page: number;
}

export const PAGE_SIZE = 50;

export const SORT_OPTIONS: readonly { value: FeatureSort; label: string }[] = [
  { value: 'activation_frequency', label: 'Activation frequency' },
  { value: 'max_activation', label: 'Max activation' },
  { value: 'mean_activation', label: 'Mean activation' },
  { value: 'neuron_index', label: 'Feature number' },
  { value: 'name', label: 'Label' },
];

export const defaultTable: TableState = {
  search: '',
  sort: 'activation_frequency',
  order: 'desc',
  onlyFavourites: false,
  page: 1,
};

const KEYS = {
  search: 'fq',
  sort: 'fsort',
  order: 'forder',
  onlyFavourites: 'favourites',
  page: 'fpage',
} as const;

/** Reads the table's state from a query; what is absent or unknown takes its default. */
export function readTable(search: string): TableState {
  const params = new URLSearchParams(search);
  const page = Number(params.get(KEYS.page));
  const sort = SORT_OPTIONS.find((option) => option.value === params.get(KEYS.sort));
  return {
    search: params.get(KEYS.search) ?? defaultTable.search,
    sort: sort?.value ?? defaultTable.sort,
    order: params.get(KEYS.order) === 'asc' ? 'asc' : 'desc',
    onlyFavourites: params.get(KEYS.onlyFavourites) === '1',
    page: Number.isInteger(page) && page > 0 ? page : defaultTable.page,
  };
}

/** The query that holds the state; defaults are left out, so that addresses stay short. */
export function tablePatch(table: TableState): UrlPatch {
  return {
    [KEYS.search]: table.search || null,
    [KEYS.sort]: table.sort === defaultTable.sort ? null : table.sort,
    [KEYS.order]: table.order === defaultTable.order ? null : table.order,
    [KEYS.onlyFavourites]: table.onlyFavourites ? '1' : null,
    [KEYS.page]: table.page === 1 ? null : table.page,
  };
}

/** A change of filter or order starts again at the first page. */
export function changeTable(table: TableState, changes: Partial<TableState>): TableState {
  return { ...table, page: 1, ...changes };
}

export function isFiltered(table: TableState): boolean {
  return table.search.trim() !== '' || table.onlyFavourites;
}

export function toListQuery(trainingId: string, table: TableState): FeatureListQuery {
  const search = table.search.trim();
  return {
    training_id: trainingId,
    page: table.page,
    limit: PAGE_SIZE,
    sort_by: table.sort,
    order: table.order,
    ...(search ? { search } : {}),
    ...(table.onlyFavourites ? { is_favorite: true } : {}),
  };
}
