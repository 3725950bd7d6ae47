import { describe, expect, it } from 'vitest';
import { patchQuery } from '@/utils/urlState';
import {
  defaultTable,
  isFiltered,
  readTable,
  sortedBy,
  tablePatch,
  toListQuery,
  type TableState,
} from './featureQuery';

const changed: TableState = {
  search: 'return none',
  sort: 'max_activation',
  order: 'asc',
  onlyFavourites: true,
};

describe('the table in the address', () => {
  it('comes back as it was written', () => {
    expect(readTable(patchQuery('', tablePatch(changed)))).toEqual(changed);
  });

  it('leaves no trace at its defaults', () => {
    expect(patchQuery('?tab=features', tablePatch(defaultTable))).toBe('?tab=features');
  });

  it.each(['?fsort=password&forder=up', ''])('survives %j', (search) => {
    expect(readTable(search)).toEqual(defaultTable);
  });
});

it('turns a column around, and starts another with its largest values', () => {
  const byMax = sortedBy(defaultTable, 'max_activation');
  expect(byMax).toMatchObject({ sort: 'max_activation', order: 'desc' });
  expect(sortedBy(byMax, 'max_activation').order).toBe('asc');
  expect(sortedBy(byMax, 'name')).toMatchObject({ sort: 'name', order: 'asc' });
});

it('knows whether anything is filtered', () => {
  expect(isFiltered(defaultTable)).toBe(false);
  expect(isFiltered({ ...defaultTable, search: '  ' })).toBe(false);
  expect(isFiltered(changed)).toBe(true);
});

it('asks the server only for what is set', () => {
  expect(toListQuery('t', defaultTable)).toEqual({
    training_id: 't',
    sort_by: 'activation_frequency',
    order: 'desc',
  });
  expect(toListQuery('t', changed)).toMatchObject({ search: 'return none', is_favorite: true });
});
