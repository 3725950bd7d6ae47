import { http, HttpResponse, type JsonBodyType } from 'msw';
import { beforeEach, describe, expect, it } from 'vitest';
import { deferred } from '@/test/deferred';
import {
  jobEvent,
  makeDataset,
  makeJob,
  makeModel,
  makePoint,
  makeTokenization,
  makeTraining,
  progressEvent,
} from '@/test/factories';
import { answer, answerPage, refuse, server } from '@/test/server';
import { useConnectionStore } from './connectionStore';
import { applyToDatasets, useDatasetStore } from './datasetStore';
import { applyEvent as applyJob, selectLatestJob, selectLiveJobs, useJobStore } from './jobStore';
import { useModelStore } from './modelStore';
import {
  applyPoints,
  applyProgress,
  applyTrainingProgress,
  useMetricsStore,
  useTrainingStore,
} from './trainingStore';
import { toast, useUiStore } from './uiStore';

/** A read that is with the server once `isAsked`, and is answered when `answer` is called. */
function answerLater(path: string, body: JsonBodyType) {
  const asked = deferred<undefined>();
  const time = deferred<undefined>();
  server.use(
    http.get(`*/api/v1${path}`, async () => {
      asked.resolve(undefined);
      await time.promise;
      return HttpResponse.json(body);
    }),
  );
  return { isAsked: asked.promise, answer: () => time.resolve(undefined) };
}

async function until(check: () => boolean): Promise<void> {
  await expect.poll(check).toBe(true);
}

beforeEach(() => {
  useDatasetStore.setState({ items: null, problem: null });
  useModelStore.setState({ items: null, problem: null });
  useTrainingStore.setState({ items: null, problem: null });
  useMetricsStore.setState({ byTraining: {} });
  useJobStore.setState({ byId: {}, problem: null });
});

describe('a resource store', () => {
  it('fetches its list and keeps why it could not', async () => {
    refuse('get', '/models', { code: 'SERVICE_UNAVAILABLE', message: 'Away.' }, 503);
    await useModelStore.getState().fetch();
    expect(useModelStore.getState().problem?.message).toBe('Away.');

    const model = makeModel();
    answerPage('/models', [model]);
    await useModelStore.getState().fetch();
    expect(useModelStore.getState()).toMatchObject({ items: [model], problem: null });
  });

  it('puts a new entry first and forgets one that is gone', async () => {
    const [old, fresh] = [makeModel(), makeModel({ name: 'fresh' })];
    useModelStore.setState({ items: [old] });
    answer('get', `/models/${fresh.id}`, fresh);
    await useModelStore.getState().refresh(fresh.id);
    expect(useModelStore.getState().items?.map(({ name }) => name)).toEqual(['fresh', 'glass-en']);

    answer('delete', `/models/${old.id}`, { job_id: 'j' }, 202);
    refuse('get', `/models/${old.id}`, { code: 'NOT_FOUND', message: 'Gone.' }, 404);
    await useModelStore.getState().remove(old.id);
    expect(useModelStore.getState().items).toEqual([fresh]);
  });

  it('has what was asked for last, whichever answer comes first', async () => {
    const [model, gone, made] = [makeModel({ status: 'loading' }), makeModel(), makeModel()];
    const { fetch, refresh } = useModelStore.getState();
    const pagination = { page: 1, limit: 50, total: 2, has_next: false };
    const list = answerLater('/models', { data: [model, gone], pagination, meta: {} });
    const one = answerLater(`/models/${model.id}`, { data: model, meta: {} });
    const early = [fetch(), refresh(model.id)];
    await Promise.all([list.isAsked, one.isAsked]);
    const ready = { ...model, status: 'ready' as const };
    answer('get', `/models/${model.id}`, ready);
    answer('get', `/models/${made.id}`, made);
    refuse('get', `/models/${gone.id}`, { code: 'NOT_FOUND', message: 'Gone.' }, 404);
    for (const { id } of [model, gone, made]) await refresh(id);
    list.answer();
    one.answer();
    await Promise.all(early);
    expect(useModelStore.getState().items).toEqual([made, ready]);
  });

  it('does not bring back what a later list is without', async () => {
    const [model, gone] = [makeModel(), makeModel()];
    const pagination = { page: 1, limit: 50, total: 2, has_next: false };
    const list = answerLater('/models', { data: [model, gone], pagination, meta: {} });
    const { fetch } = useModelStore.getState();
    const early = fetch();
    await list.isAsked;
    answerPage('/models', [model]);
    await fetch();
    list.answer();
    await early;
    expect(useModelStore.getState().items).toEqual([model]);
  });

  it('shows progress at once and fetches at a turn', async () => {
    const model = makeModel({ status: 'loading' });
    const job = makeJob({ kind: 'model_import', resource_type: 'model', resource_id: model.id });
    useModelStore.setState({ items: [{ ...model, job }] });
    useModelStore.getState().apply(jobEvent({ ...job, seq: 2, progress: 70 }));
    expect(useModelStore.getState().items?.[0]?.job?.progress).toBe(70);

    answer('get', `/models/${model.id}`, { ...model, status: 'ready' });
    useModelStore.getState().apply(jobEvent({ ...job, seq: 3, state: 'succeeded' }));
    await until(() => useModelStore.getState().items?.[0]?.status === 'ready');
  });

  it('leaves other resources alone', () => {
    useModelStore.setState({ items: [makeModel()] });
    const before = useModelStore.getState().items;
    useModelStore.getState().apply(jobEvent(makeJob({ resource_type: 'dataset' })));
    expect(useModelStore.getState().items).toBe(before);
  });
});

describe('datasets', () => {
  it('follow their tokenisations', async () => {
    const job = makeJob({ kind: 'dataset_tokenize', resource_type: 'tokenization' });
    const tokenization = makeTokenization({ status: 'running', job });
    const dataset = makeDataset({ tokenizations: [tokenization] });
    useDatasetStore.setState({ items: [makeDataset(), dataset] });
    const news = { ...job, resource_id: tokenization.id };
    applyToDatasets(jobEvent({ ...news, seq: 2, progress: 80 }));
    const shown = () => useDatasetStore.getState().items?.[1]?.tokenizations[0];
    expect(shown()?.job?.progress).toBe(80);

    const done = { ...dataset, tokenizations: [{ ...tokenization, status: 'ready' as const }] };
    answer('get', `/datasets/${dataset.id}`, done);
    applyToDatasets(jobEvent({ ...news, seq: 3, state: 'succeeded' }));
    await until(() => shown()?.status === 'ready');
  });

  it('ignore a tokenisation of no dataset here', () => {
    useDatasetStore.setState({ items: [makeDataset()] });
    const before = useDatasetStore.getState().items;
    applyToDatasets(jobEvent(makeJob({ resource_type: 'tokenization', resource_id: 'x' })));
    expect(useDatasetStore.getState().items).toBe(before);
  });
});

describe('a training', () => {
  it('moves forward with its progress, never back', () => {
    const training = makeTraining({ current_step: 100 });
    const state = { items: [training], problem: null };
    const moved = applyProgress(state, progressEvent(training.id)).items?.[0];
    expect(moved).toMatchObject({ current_step: 200, progress: 20 });
    expect(moved?.latest_metrics?.loss).toBe(0.25);
    expect(applyProgress(state, progressEvent(training.id, { step: 50 })).items).toBe(state.items);
    expect(applyProgress(state, progressEvent('other')).items).toBe(state.items);
  });

  it('keeps its figures when an event has no points', () => {
    const training = makeTraining();
    const state = { items: [training], problem: null };
    const moved = applyProgress(state, progressEvent(training.id, { points: [] })).items?.[0];
    expect(moved?.latest_metrics).toBe(training.latest_metrics);
  });

  it('draws every event once', () => {
    const first = applyPoints({ byTraining: {} }, progressEvent('t', { seq: 3 }));
    expect(first.byTraining.t?.points).toHaveLength(1);
    expect(applyPoints(first, progressEvent('t', { seq: 3 }))).toBe(first);
  });

  it('has the whole curve again after a fetch', async () => {
    const training = makeTraining();
    useTrainingStore.setState({ items: [training] });
    applyTrainingProgress(progressEvent(training.id, { seq: 9 }));
    answer('get', `/trainings/${training.id}/metrics`, [
      makePoint({ step: 100 }),
      makePoint({ step: 200 }),
    ]);
    await useMetricsStore.getState().fetch(training.id);
    applyTrainingProgress(
      progressEvent(training.id, { seq: 1, step: 300, points: [{ ...makePoint({ step: 300 }) }] }),
    );
    const curve = useMetricsStore.getState().byTraining[training.id];
    expect(curve?.points.map(({ step }) => step)).toEqual([100, 200, 300]);
  });
});

describe('jobs', () => {
  it('are listed oldest first while live', async () => {
    const late = makeJob({ created_at: '2026-11-23T10:00:00Z' });
    const early = makeJob({ created_at: '2026-11-23T08:00:00Z' });
    answerPage('/jobs', [late, early, makeJob({ state: 'succeeded' })]);
    await useJobStore.getState().fetch();
    expect(selectLiveJobs(useJobStore.getState())).toEqual([early, late]);
  });

  it('take only newer events', () => {
    const job = makeJob({ seq: 5 });
    const state = { byId: { [job.id]: job } };
    expect(applyJob(state, jobEvent({ ...job, seq: 5 }))).toBe(state);
    useJobStore.getState().apply(jobEvent(job));
    expect(useJobStore.getState().byId[job.id]).toBe(job);
  });

  it('are found by what they work on', () => {
    const [old, young] = ['08', '10'].map((hour) =>
      makeJob({
        kind: 'feature_extract',
        resource_id: 't',
        created_at: `2026-11-23T${hour}:00:00Z`,
      }),
    );
    const byId = Object.fromEntries([old!, young!].map((job) => [job.id, job]));
    expect(selectLatestJob({ byId }, 'feature_extract', 't')).toBe(young);
    expect(selectLatestJob({ byId }, 'training_run', 't')).toBeUndefined();
  });

  it('are cancelled, and keep why they could not be fetched', async () => {
    const job = makeJob();
    answer('post', `/jobs/${job.id}/cancel`, { ...job, requested: 'cancel' });
    await useJobStore.getState().cancel(job.id);
    expect(useJobStore.getState().byId[job.id]?.requested).toBe('cancel');
    const ended = { ...job, seq: job.seq + 1, state: 'cancelled' as const };
    useJobStore.getState().apply(jobEvent(ended));
    await useJobStore.getState().cancel(job.id);
    expect(useJobStore.getState().byId[job.id]).toEqual(ended);

    refuse('get', '/jobs', { code: 'SERVICE_UNAVAILABLE', message: 'Away.' }, 503);
    await useJobStore.getState().fetch();
    expect(useJobStore.getState().problem?.message).toBe('Away.');
  });
});

describe('the connection', () => {
  it('is stale only while away, and counts reconnects', () => {
    const { setStatus, setStale } = useConnectionStore.getState();
    setStatus('connected', false);
    setStale();
    expect(useConnectionStore.getState().stale).toBe(false);
    setStatus('away', false);
    setStale();
    expect(useConnectionStore.getState().stale).toBe(true);
    setStatus('connected', true);
    expect(useConnectionStore.getState()).toMatchObject({ stale: false, reconnects: 1 });
  });
});

describe('toasts', () => {
  it('are at most four and go one by one', () => {
    const ids = ['a', 'b', 'c', 'd', 'e'].map((message) => toast('info', message));
    expect(
      useUiStore
        .getState()
        .toasts.map(({ message }) => message)
        .join(''),
    ).toBe('bcde');
    for (const id of ids) useUiStore.getState().dismissToast(id);
    expect(useUiStore.getState().toasts).toEqual([]);
  });
});
