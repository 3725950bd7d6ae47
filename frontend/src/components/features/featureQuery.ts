import type { FeatureListQuery, FeatureSort } from '@/services/featureService';
import type { UrlPatch } from '@/utils/urlState';

/** What of the table stands in the page's address. */
export interface TableState {
  search: string;
  sort: FeatureSort;
  order: 'asc' | 'desc';
  onlyFavourites: boolean;
}

export const SORT_OPTIONS: readonly { value: FeatureSort; label: string }[] = [
  { value: 'activation_frequency', label: 'Activation frequency' },
  { value: 'max_activation', label: 'Max activation' },
  { value: 'mean_activation', label: 'Mean activation' },
  { value: 'interpretability', label: 'Interpretability' },
  { value: 'neuron_index', label: 'Feature number' },
  { value: 'name', label: 'Label' },
];

export const defaultTable: TableState = {
  search: '',
  sort: 'activation_frequency',
  order: 'desc',
  onlyFavourites: false,
};

const KEYS = {
  search: 'fq',
  sort: 'fsort',
  order: 'forder',
  onlyFavourites: 'favourites',
} as const;

/** Reads the table's state from a query; what is absent or unknown takes its default. */
export function readTable(search: string): TableState {
  const params = new URLSearchParams(search);
  const sort = SORT_OPTIONS.find((option) => option.value === params.get(KEYS.sort));
  return {
    search: params.get(KEYS.search) ?? defaultTable.search,
    sort: sort?.value ?? defaultTable.sort,
    order: params.get(KEYS.order) === 'asc' ? 'asc' : 'desc',
    onlyFavourites: params.get(KEYS.onlyFavourites) === '1',
  };
}

/** The query that holds the state; defaults are left out, so that addresses stay short. */
export function tablePatch(table: TableState): UrlPatch {
  return {
    [KEYS.search]: table.search || null,
    [KEYS.sort]: table.sort === defaultTable.sort ? null : table.sort,
    [KEYS.order]: table.order === defaultTable.order ? null : table.order,
    [KEYS.onlyFavourites]: table.onlyFavourites ? '1' : null,
  };
}

/** Another column starts with its largest values (labels from A); the same one turns around. */
export function sortedBy(table: TableState, sort: FeatureSort): TableState {
  const isText = sort === 'name' || sort === 'neuron_index';
  const turned = table.order === 'desc' ? 'asc' : 'desc';
  return { ...table, sort, order: sort === table.sort ? turned : isText ? 'asc' : 'desc' };
}

export function isFiltered(table: TableState): boolean {
  return table.search.trim() !== '' || table.onlyFavourites;
}

export function toListQuery(
  trainingId: string,
  table: TableState,
): Omit<FeatureListQuery, 'page' | 'limit'> {
  const search = table.search.trim();
  return {
    training_id: trainingId,
    sort_by: table.sort,
    order: table.order,
    ...(search ? { search } : {}),
    ...(table.onlyFavourites ? { is_favorite: true } : {}),
  };
}
