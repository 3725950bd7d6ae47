import { http, HttpResponse } from 'msw';
import { describe, expect, it } from 'vitest';
import { answer, answerPage, refuse, server } from '@/test/server';
import { ApiError, get, getAll, isAborted, patch, post, remove, toApiError } from './api';

async function failure(promise: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ApiError);
  return error as ApiError;
}

describe('answers', () => {
  it('come without the envelope', async () => {
    answer('get', '/models/1', { id: '1' });
    expect(await get('/models/1')).toEqual({ id: '1' });
  });

  it('carry bodies of every method', async () => {
    const posted = answer('post', '/models/import', { job_id: 'j' }, 202);
    answer('patch', '/features/1', { id: 1 });
    answer('delete', '/models/1', { job_id: 'j' }, 202);
    await post('/models/import', { path: '/m' });
    await patch('/features/1', { name: 'x' });
    await remove('/models/1');
    expect(posted[0]?.body).toEqual({ path: '/m' });
  });

  it('follow the pages of a list', async () => {
    const seen = answerPage('/models', [{ id: '1' }], 150);
    expect(await getAll('/models')).toHaveLength(2);
    expect(seen.map(({ url }) => url.searchParams.get('page'))).toEqual(['1', '2']);
  });
});

describe('a limit', () => {
  const limited = (seconds: string) =>
    HttpResponse.json(
      { error: { code: 'RATE_LIMIT_EXCEEDED', message: 'Too many', details: {}, retryable: true } },
      { status: 429, headers: { 'Retry-After': seconds } },
    );

  it('is waited out by a read', async () => {
    let asked = 0;
    server.use(
      http.get('*/api/v1/models/1', () =>
        ++asked < 3 ? limited('0') : HttpResponse.json({ data: { id: '1' }, meta: {} }),
      ),
    );
    expect(await get('/models/1')).toEqual({ id: '1' });
    expect(asked).toBe(3);
  });

  it('is told where it lasts, and for what changes something', async () => {
    let asked = 0;
    server.use(
      http.get('*/api/v1/models/1', () => limited('60')),
      http.post('*/api/v1/steering/generate', () => {
        asked += 1;
        return limited('1');
      }),
    );
    expect((await failure(get('/models/1'))).status).toBe(429);
    expect((await failure(post('/steering/generate', {}))).code).toBe('RATE_LIMIT_EXCEEDED');
    expect(asked).toBe(1);
  });

  it('is not waited for without end', async () => {
    let asked = 0;
    server.use(
      http.get('*/api/v1/models/1', () => {
        asked += 1;
        return limited('0');
      }),
    );
    expect((await failure(get('/models/1'))).status).toBe(429);
    expect(asked).toBe(6);
  });
});

describe('failures', () => {
  it('keep code, sentence and fields of the envelope', async () => {
    refuse('post', '/datasets/import', {
      code: 'VALIDATION_ERROR',
      message: 'The path does not exist.',
      details: { errors: [{ field: 'path', message: 'does not exist', value: '/x' }] },
    });
    const error = await failure(post('/datasets/import', {}));
    expect(error).toMatchObject({ code: 'VALIDATION_ERROR', status: 400, retryable: false });
    expect(error.message).toBe('The path does not exist.');
    expect(error.fieldErrors).toEqual({ path: 'does not exist' });
  });

  it('without an envelope name the status', async () => {
    server.use(http.get('*/api/v1/models', () => new HttpResponse('no', { status: 502 })));
    expect(await failure(get('/models'))).toMatchObject({ code: 'HTTP_ERROR', retryable: true });
  });

  it('of the connection are retryable', async () => {
    server.use(http.get('*/api/v1/models', () => HttpResponse.error()));
    const error = await failure(get('/models'));
    expect(error).toMatchObject({ code: 'NETWORK_ERROR', status: null, retryable: true });
    expect(error.fieldErrors).toEqual({});
  });

  it('of our own code keep their message', () => {
    expect(toApiError(new Error('oops')).message).toBe('oops');
    expect(toApiError('x').message).toBe('Unknown error');
  });

  it('on purpose are told apart', async () => {
    answer('get', '/models', []);
    const controller = new AbortController();
    controller.abort();
    const error: unknown = await get('/models', {}, controller.signal).catch((e: unknown) => e);
    expect(isAborted(error)).toBe(true);
  });
});
