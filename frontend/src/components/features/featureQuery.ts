import type { FeatureListQuery, FeatureSort } from '@/services/featureService';
import type { UrlPatch } from '@/utils/urlState';
import { FIGURES } from './featureFigures';

/** Bounds of a column, both inclusive; null where it is open. */
export interface Range {
  column: string;
  from: number | null;
  to: number | null;
}

/** What of the table stands in the page's address. */
export interface TableState {
  search: string;
  /** Null: the best match first while searching, else the most frequent. */
  sort: FeatureSort | null;
  order: 'asc' | 'desc';
  onlyFavourites: boolean;
  ranges: readonly Range[];
  tags: readonly string[];
}

const SORTS: readonly { value: FeatureSort; label: string }[] = [
  ...FIGURES.map(({ key, label }) => ({ value: key, label })),
  { value: 'neuron_index', label: 'Feature number' },
  { value: 'name', label: 'Label' },
  { value: 'top_token', label: 'Top token' },
  { value: 'cluster', label: 'Cluster' },
];

/** What the table can be sorted by; the best match is one only while something is searched. */
export function sortOptions(table: Pick<TableState, 'search'>) {
  const isSearching = table.search.trim() !== '';
  return isSearching ? [{ value: 'relevance' as const, label: 'Best match' }, ...SORTS] : SORTS;
}

export const defaultTable: TableState = {
  search: '',
  sort: null,
  order: 'desc',
  onlyFavourites: false,
  ranges: [],
  tags: [],
};

const KEYS = {
  search: 'fq',
  sort: 'fsort',
  order: 'forder',
  onlyFavourites: 'favourites',
  ranges: 'frange',
  tags: 'ftags',
} as const;

/** By what the table is sorted when nobody chose. */
export function effectiveSort({ search, sort }: Pick<TableState, 'search' | 'sort'>): FeatureSort {
  const isSearching = search.trim() !== '';
  if (sort === null || (sort === 'relevance' && !isSearching)) {
    return isSearching ? 'relevance' : 'activation_frequency';
  }
  return sort;
}

/** Reads the table's state from a query; what is absent or unknown takes its default. */
export function readTable(search: string): TableState {
  const params = new URLSearchParams(search);
  const sort = params.get(KEYS.sort);
  const known = sort === 'relevance' ? sort : SORTS.find(({ value }) => value === sort)?.value;
  return {
    search: params.get(KEYS.search) ?? defaultTable.search,
    sort: known ?? null,
    order: params.get(KEYS.order) === 'asc' ? 'asc' : 'desc',
    onlyFavourites: params.get(KEYS.onlyFavourites) === '1',
    ranges: split(params.get(KEYS.ranges)).flatMap(readRange),
    tags: split(params.get(KEYS.tags)),
  };
}

/** The query that holds the state; defaults are left out, so that addresses stay short. */
export function tablePatch(table: TableState): UrlPatch {
  return {
    [KEYS.search]: table.search || null,
    [KEYS.sort]: table.sort,
    [KEYS.order]: table.order === defaultTable.order ? null : table.order,
    [KEYS.onlyFavourites]: table.onlyFavourites ? '1' : null,
    [KEYS.ranges]: table.ranges.map(writeRange).join(',') || null,
    [KEYS.tags]: table.tags.join(',') || null,
  };
}

/** `column:from:to`, as the API reads it; an open bound is empty. */
export function writeRange({ column, from, to }: Range): string {
  return `${column}:${from ?? ''}:${to ?? ''}`;
}

function readRange(text: string): Range[] {
  const [column, from, to] = text.split(':');
  if (!column || from === undefined || to === undefined) return [];
  const bounds = [from, to].map((bound) => (bound === '' ? null : Number(bound)));
  if (bounds.some((bound) => bound !== null && !Number.isFinite(bound))) return [];
  return [{ column, from: bounds[0] ?? null, to: bounds[1] ?? null }];
}

function split(text: string | null): string[] {
  return (text ?? '').split(',').filter((part) => part !== '');
}

/** Adds a range; a column has one at most. */
export function withRange(ranges: readonly Range[], range: Range): Range[] {
  return [...ranges.filter(({ column }) => column !== range.column), range];
}

/** Another column starts with its largest values (texts from A); the same one turns around. */
export function sortedBy(table: TableState, sort: FeatureSort): TableState {
  const isText = ['name', 'neuron_index', 'top_token', 'cluster'].includes(sort);
  const turned = table.order === 'desc' ? 'asc' : 'desc';
  const isSame = sort === effectiveSort(table);
  return { ...table, sort, order: isSame ? turned : isText ? 'asc' : 'desc' };
}

export function isFiltered(table: TableState): boolean {
  return (
    table.search.trim() !== '' ||
    table.onlyFavourites ||
    table.ranges.length > 0 ||
    table.tags.length > 0
  );
}

export function toListQuery(
  trainingId: string,
  table: TableState,
): Omit<FeatureListQuery, 'page' | 'limit'> {
  const search = table.search.trim();
  return {
    training_id: trainingId,
    sort_by: effectiveSort(table),
    order: table.order,
    ...(search ? { search } : {}),
    ...(table.onlyFavourites ? { is_favorite: true } : {}),
    ...(table.ranges.length > 0 ? { range: table.ranges.map(writeRange) } : {}),
    ...(table.tags.length > 0 ? { tag: table.tags } : {}),
  };
}
