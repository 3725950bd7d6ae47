import { beforeEach, describe, expect, it } from 'vitest';
import { answer, answerPage, refuse } from '@/test/featureApi';
import { makeFeature, makeFeatureRow } from '@/test/featureFactories';
import { applyChanges, applyPage, emptyFeatureData, useFeatureStore } from './featureStore';

const query = {
  training_id: 't',
  page: 1,
  limit: 50,
  sort_by: 'max_activation' as const,
  order: 'desc' as const,
};
const pagination = { page: 1, limit: 50, total: 1, has_next: false };

beforeEach(() => useFeatureStore.setState(emptyFeatureData));

describe('pure changes', () => {
  it('keep rows of other pages', () => {
    const state = { ...emptyFeatureData, rows: { 1: makeFeatureRow({ id: 1 }) } };
    const next = applyPage(state, query, [makeFeatureRow({ id: 2 })], pagination);
    expect(Object.keys(next.rows)).toEqual(['1', '2']);
    expect(next.list).toEqual({ query, ids: [2], pagination });
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
    await Promise.all([fetchList(query), fetchList({ ...query, page: 2 })]);
    expect(useFeatureStore.getState().list.query?.page).toBe(2);
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
