import { describe, expect, it } from 'vitest';
import type { FieldSpec } from '@/types/form.types';
import { makeJob, makePoint } from '@/test/factories';
import { isLiveJob, isTurn, jobLabel, jobProblem, withJob } from './jobs';
import { isMetricPoint, mergePoints, pickSeries } from './series';
import { navigate, patchQuery, subscribeToUrl } from './urlState';
import { isRepoId, nameFromPath, specError, specHint } from './validation';

const spec: FieldSpec = {
  type: 'integer',
  required: false,
  nullable: false,
  default: 8,
  help: '',
  unit: null,
  min: 1,
  max: 4096,
  options: null,
};

describe('validation', () => {
  it('knows repository ids', () => {
    expect(isRepoId('roneneldan/TinyStories')).toBe(true);
    expect(isRepoId('gpt2')).toBe(true);
    expect(isRepoId('a/b/c')).toBe(false);
    expect(isRepoId('')).toBe(false);
  });

  it('checks a number against its bounds', () => {
    expect(specError(spec, 8)).toBeUndefined();
    expect(specError(spec, 0)).toBe('At least 1');
    expect(specError(spec, 5000)).toBe('At most 4,096');
    expect(specError(spec, 1.5)).toBe('Whole numbers only');
    expect(specError(spec, null)).toBe('Type a number');
    expect(specError({ ...spec, nullable: true }, null)).toBeUndefined();
    expect(specError({ ...spec, nullable: true }, NaN)).toBe('Not a number');
    expect(specError({ ...spec, type: 'string' }, 'text')).toBeUndefined();
  });

  it('says the range in words', () => {
    expect(specHint(spec)).toBe('1 to 4,096');
    expect(specHint({ ...spec, max: null })).toBe('at least 1');
    expect(specHint({ ...spec, min: null })).toBe('at most 4,096');
    expect(specHint({ ...spec, min: null, max: null })).toBeUndefined();
    expect(specHint({ ...spec, min: 1e-7, max: 1 })).toBe('1e-7 to 1');
  });

  it('names a file without its folder and ending', () => {
    expect(nameFromPath('/texts/my corpus.jsonl.gz')).toBe('my corpus');
    expect(nameFromPath('models/SmolLM2/')).toBe('SmolLM2');
    expect(nameFromPath('')).toBe('');
  });
});

describe('the query', () => {
  it('gains, changes and loses parameters', () => {
    expect(patchQuery('?tab=models', { model: 'a' })).toBe('?tab=models&model=a');
    expect(patchQuery('?tab=models&model=a', { model: null })).toBe('?tab=models');
    expect(patchQuery('?tab=models', { tab: null })).toBe('');
  });

  it('tells its listeners once per change', () => {
    let calls = 0;
    const stop = subscribeToUrl(() => (calls += 1));
    navigate({ tab: 'training' });
    navigate({ tab: 'training' });
    navigate({ tab: 'models' }, 'replace');
    stop();
    navigate({ tab: 'steering' });
    expect(calls).toBe(2);
    expect(window.location.search).toBe('?tab=steering');
  });
});

describe('jobs', () => {
  it('are live until they ended or paused', () => {
    expect(isLiveJob(makeJob({ state: 'queued' }))).toBe(true);
    expect(isLiveJob(makeJob({ state: 'paused' }))).toBe(false);
    expect(isLiveJob(null)).toBe(false);
    expect(jobLabel('model_import')).toBe('Importing model');
  });

  it('say why they failed', () => {
    expect(jobProblem(makeJob())).toBeNull();
    expect(jobProblem(makeJob({ error_code: 'DISK_FULL', error_message: 'Full.' }))).toEqual({
      code: 'DISK_FULL',
      message: 'Full.',
    });
  });

  it('go into the resource they work on, unless older', () => {
    const items = [{ id: 'a', job: makeJob({ id: 'j', seq: 5 }) }];
    const older = makeJob({ id: 'j', seq: 4, resource_id: 'a' });
    expect(withJob(items, older)).toBe(items);
    const newer = makeJob({ id: 'j', seq: 6, resource_id: 'a', progress: 90 });
    expect(withJob(items, newer)[0]?.job.progress).toBe(90);
    expect(withJob(items, makeJob({ resource_id: 'elsewhere' }))).toBe(items);
  });

  it('goes into all that share it', () => {
    const shared = makeJob({ id: 'g', kind: 'training_grid', resource_id: 'a', seq: 1 });
    const items = [
      { id: 'a', job: makeJob({ id: 'own' }) },
      { id: 'b', job: shared },
      { id: 'c', job: shared },
    ];
    const news = withJob(items, { ...shared, seq: 2, progress: 50 });
    expect(news.map((item) => item.job.seq)).toEqual([items[0]?.job.seq, 2, 2]);
    expect(news[0]).toBe(items[0]);
  });

  it('turn when their state changes', () => {
    const job = makeJob({ state: 'succeeded' });
    expect(isTurn({ id: job.id, state: 'running' }, job)).toBe(true);
    expect(isTurn({ id: job.id, state: 'succeeded' }, job)).toBe(false);
    expect(isTurn(null, job)).toBe(true);
  });
});

describe('series', () => {
  it('join by step, the newest value winning', () => {
    const merged = mergePoints(
      [makePoint({ step: 10 }), makePoint({ step: 30 })],
      [makePoint({ step: 20 }), makePoint({ step: 30, loss: 0.1 })],
    );
    expect(merged.map(({ step }) => step)).toEqual([10, 20, 30]);
    expect(merged[2]?.loss).toBe(0.1);
  });

  it('thin the older half above the limit and keep the span', () => {
    const points = Array.from({ length: 101 }, (_, step) => makePoint({ step }));
    const thinned = mergePoints(points, [], 100);
    expect(thinned).toHaveLength(76);
    expect(thinned[0]?.step).toBe(0);
    expect(thinned.slice(-51).map(({ step }) => step)).toEqual(
      Array.from({ length: 51 }, (_, i) => i + 50),
    );
  });

  it('leave out what was not measured', () => {
    const points = [makePoint({ step: 1, loss: null }), makePoint({ step: 2, loss: 0.5 })];
    expect(pickSeries(points, 'loss')).toEqual([{ x: 2, y: 0.5 }]);
    expect(isMetricPoint({ step: 'two' })).toBe(false);
  });
});
