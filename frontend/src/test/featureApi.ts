import { http, HttpResponse, type JsonBodyType } from 'msw';
import { server } from './server';

const API = '*/api/v1';
const META = { timestamp: '2026-11-23T09:00:00Z', request_id: 'req_test' };

type Method = 'get' | 'post' | 'patch' | 'put' | 'delete';

/** Answers a request with `data` in the envelope; the returned list collects the bodies sent. */
export function answer(method: Method, path: string, data: JsonBodyType, status = 200): unknown[] {
  const bodies: unknown[] = [];
  server.use(
    http[method](`${API}${path}`, async ({ request }) => {
      const text = await request.text();
      if (method !== 'get') bodies.push(text === '' ? null : JSON.parse(text));
      return HttpResponse.json({ data, meta: META }, { status });
    }),
  );
  return bodies;
}

/** Answers with one page and what else stands beside it; the list returned collects the queries. */
export function answerPage(
  path: string,
  items: JsonBodyType[],
  hasNext = false,
  total = items.length,
  more: Record<string, JsonBodyType> = {},
): URLSearchParams[] {
  const queries: URLSearchParams[] = [];
  server.use(
    http.get(`${API}${path}`, ({ request }) => {
      queries.push(new URL(request.url).searchParams);
      const pagination = { page: 1, limit: 50, total, has_next: hasNext };
      return HttpResponse.json({ data: items, pagination, ...more, meta: META });
    }),
  );
  return queries;
}

/** Refuses with the error envelope. */
export function refuse(
  method: Method,
  path: string,
  status: number,
  error: { code: string; message: string; details?: Record<string, JsonBodyType> },
): void {
  const body = { details: {}, retryable: false, timestamp: META.timestamp, ...error };
  server.use(
    http[method](`${API}${path}`, () => HttpResponse.json({ error: body, meta: META }, { status })),
  );
}
