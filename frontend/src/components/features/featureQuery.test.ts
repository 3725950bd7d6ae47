import { describe, expect, it } from 'vitest';
import { patchQuery } from '@/utils/urlState';
import {
  defaultTable,
  effectiveSort,
  isFiltered,
  readTable,
  sortedBy,
  sortOptions,
  tablePatch,
  toListQuery,
  withRange,
  type TableState,
} from './featureQuery';

const changed: TableState = {
  search: 'return none',
  sort: 'max_activation',
  order: 'asc',
  onlyFavourites: true,
  ranges: [
    { column: 'n_fires', from: null, to: 10 },
    { column: 'map_x', from: -0.5, to: 1.25 },
  ],
  tags: ['names', 'to check'],
};

describe('the table in the address', () => {
  it('comes back as it was written', () => {
    expect(readTable(patchQuery('', tablePatch(changed)))).toEqual(changed);
  });

  it('leaves no trace at its defaults', () => {
    expect(patchQuery('?tab=features', tablePatch(defaultTable))).toBe('?tab=features');
  });

  it.each(['?fsort=password&forder=up&frange=a,b:c:d,:1:2', ''])('survives %j', (search) => {
    expect(readTable(search)).toEqual(defaultTable);
  });
});

describe('the order', () => {
  it('is the best match while searching, unless another was chosen', () => {
    expect(effectiveSort(defaultTable)).toBe('activation_frequency');
    expect(effectiveSort({ search: 'x', sort: null })).toBe('relevance');
    expect(effectiveSort({ search: 'x', sort: 'name' })).toBe('name');
    expect(effectiveSort({ search: '', sort: 'relevance' })).toBe('activation_frequency');
    expect(sortOptions({ search: '' })[0]?.value).toBe('activation_frequency');
    expect(sortOptions({ search: 'x' })[0]?.value).toBe('relevance');
  });

  it('turns a column around, and starts another with its largest values', () => {
    const byMax = sortedBy(defaultTable, 'max_activation');
    expect(byMax).toMatchObject({ sort: 'max_activation', order: 'desc' });
    expect(sortedBy(byMax, 'max_activation').order).toBe('asc');
    expect(sortedBy(byMax, 'name')).toMatchObject({ sort: 'name', order: 'asc' });
  });
});

it('keeps one range per column', () => {
  const ranges = withRange(changed.ranges, { column: 'n_fires', from: 5, to: null });
  expect(ranges).toHaveLength(2);
  expect(ranges.at(-1)).toEqual({ column: 'n_fires', from: 5, to: null });
});

it('knows whether anything is filtered', () => {
  expect(isFiltered(defaultTable)).toBe(false);
  expect(isFiltered({ ...defaultTable, search: '  ' })).toBe(false);
  expect(isFiltered({ ...defaultTable, tags: ['a'] })).toBe(true);
  expect(isFiltered(changed)).toBe(true);
});

it('asks the server only for what is set', () => {
  expect(toListQuery('t', defaultTable)).toEqual({
    training_id: 't',
    sort_by: 'activation_frequency',
    order: 'desc',
  });
  expect(toListQuery('t', changed)).toMatchObject({
    search: 'return none',
    is_favorite: true,
    range: ['n_fires::10', 'map_x:-0.5:1.25'],
    tag: ['names', 'to check'],
  });
});
