import { describe, expect, it } from 'vitest';
import { patchQuery } from '@/utils/urlState';
import {
  changeTable,
  defaultTable,
  isFiltered,
  readTable,
  tablePatch,
  toListQuery,
  type TableState,
} from './featureQuery';

const changed: TableState = {
  search: 'return none',
  sort: 'max_activation',
  order: 'asc',
  onlyFavourites: true,
  page: 3,
};

describe('the table in the address', () => {
  it('comes back as it was written', () => {
    expect(readTable(patchQuery('', tablePatch(changed)))).toEqual(changed);
  });

  it('leaves no trace at its defaults', () => {
    expect(patchQuery('?tab=features', tablePatch(defaultTable))).toBe('?tab=features');
  });

  it.each(['?fsort=password&fpage=-2&forder=up', '?fpage=1.5', ''])('survives %j', (search) => {
    expect(readTable(search)).toEqual(defaultTable);
  });
});

it('goes back to the first page when the filter changes', () => {
  expect(changeTable(changed, { search: 'x' }).page).toBe(1);
  expect(changeTable(changed, { page: 4 }).page).toBe(4);
});

it('knows whether anything is filtered', () => {
  expect(isFiltered(defaultTable)).toBe(false);
  expect(isFiltered({ ...defaultTable, search: '  ' })).toBe(false);
  expect(isFiltered(changed)).toBe(true);
});

it('asks the server only for what is set', () => {
  expect(toListQuery('t', defaultTable)).toEqual({
    training_id: 't',
    page: 1,
    limit: 50,
    sort_by: 'activation_frequency',
    order: 'desc',
  });
  expect(toListQuery('t', changed)).toMatchObject({ search: 'return none', is_favorite: true });
});
