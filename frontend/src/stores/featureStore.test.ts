import { beforeEach, describe, expect, it } from 'vitest';
import { answer, answerPage, refuse } from '@/test/featureApi';
import { makeFeature, makeFeatureRow } from '@/test/featureFactories';
import type { FeatureRow } from '@/types/feature.types';
import {
  applyChanges,
  applyPage,
  emptyFeatureData,
  listKey,
  useFeatureStore,
} from './featureStore';

const query = {
  training_id: 't',
  page: 1,
  limit: 50,
  sort_by: 'max_activation' as const,
  order: 'desc' as const,
};
const pagination = { page: 1, limit: 50, total: 1, has_next: false };
const page = (...items: FeatureRow[]) => ({ items, pagination });

beforeEach(() => useFeatureStore.setState(emptyFeatureData));

describe('pure changes', () => {
  it('say when the server stopped counting', () => {
    const capped = { ...pagination, total: 1000, total_is_capped: true };
    expect(
      applyPage(emptyFeatureData, query, { items: [], pagination: capped }).list.isCapped,
    ).toBe(true);
  });

  it('keep rows of other pages', () => {
    const one = applyPage(emptyFeatureData, query, page(makeFeatureRow({ id: 1 })));
    const second = { ...query, page: 2 };
    const two = applyPage({ ...emptyFeatureData, ...one }, second, page(makeFeatureRow({ id: 2 })));
    expect(Object.keys(two.rows)).toEqual(['1', '2']);
    expect(two.list).toMatchObject({ trainingId: 't', total: 1, pages: { 1: [1], 2: [2] } });
    expect(two.list.isCapped).toBe(false);
  });

  it('drop what another order or a changed number of rows makes untrue', () => {
    const one = applyPage(emptyFeatureData, query, page(makeFeatureRow({ id: 1 })));
    const state = { ...emptyFeatureData, ...one };
    const other = { ...query, page: 2, order: 'asc' as const };
    expect(applyPage(state, other, page()).list.pages).toEqual({ 2: [] });
    const grown = { ...pagination, total: 9 };
    expect(
      applyPage(state, { ...query, page: 3 }, { items: [], pagination: grown }).list.pages,
    ).toEqual({ 3: [] });
  });

  it('keep the pages nearest to the newest, so that memory stays bounded', () => {
    let state = emptyFeatureData;
    for (let number = 1; number <= 60; number += 1) {
      const read = page(makeFeatureRow({ id: number }));
      state = { ...state, ...applyPage(state, { ...query, page: number }, read) };
    }
    expect(Object.keys(state.list.pages)).toHaveLength(40);
    expect(Object.keys(state.rows)).toHaveLength(40);
    expect(state.rows[60]).toBeDefined();
    expect(state.rows[1]).toBeUndefined();
  });

  it('reach the row and the detail', () => {
    const state = {
      ...emptyFeatureData,
      rows: { 7: makeFeatureRow() },
      details: { 7: makeFeature() },
    };
    const next = applyChanges(state, 7, { name: 'x' });
    expect([next.rows[7]?.name, next.details[7]?.name]).toEqual(['x', 'x']);
  });

  it('leave what is not known alone', () => {
    expect(applyChanges(emptyFeatureData, 7, { name: 'x' })).toEqual({ rows: {}, details: {} });
  });
});

describe('the store', () => {
  it('lets the newest list request win', async () => {
    answerPage('/features', [makeFeatureRow()]);
    const { fetchList } = useFeatureStore.getState();
    const other = { ...query, order: 'asc' as const };
    await Promise.all([fetchList(query), fetchList(other)]);
    expect(useFeatureStore.getState().list.key).toBe(listKey(other));
    expect(useFeatureStore.getState().requests.list?.state).toBe('ready');
  });

  it('takes back a label that cannot be saved', async () => {
    useFeatureStore.setState({ rows: { 7: makeFeatureRow({ name: 'old' }) } });
    refuse('patch', '/features/7', 400, { code: 'VALIDATION_ERROR', message: 'Too long.' });
    const saving = useFeatureStore.getState().save(7, { name: 'new' });
    expect(useFeatureStore.getState().rows[7]?.name).toBe('new');
    expect(await saving).toBe(false);
    expect(useFeatureStore.getState().rows[7]?.name).toBe('old');
    expect(useFeatureStore.getState().requests['save:7']?.problem?.message).toBe('Too long.');
  });

  it('shows what the server made of a change', async () => {
    useFeatureStore.setState({ rows: { 7: makeFeatureRow() } });
    answer('patch', '/features/7', makeFeature({ name: 'measured label', is_favorite: true }));
    expect(await useFeatureStore.getState().save(7, { name: null })).toBe(true);
    expect(useFeatureStore.getState().rows[7]).toMatchObject({
      name: 'measured label',
      is_favorite: true,
    });
  });

  it('forgets what was measured before', async () => {
    answer('get', '/features/7', makeFeature());
    await useFeatureStore.getState().fetchDetail(7);
    useFeatureStore.getState().forget();
    expect(useFeatureStore.getState().details).toEqual({});
  });
});
