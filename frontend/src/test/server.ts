import { http, HttpResponse, type JsonBodyType } from 'msw';
import { setupServer } from 'msw/node';

/** The HTTP border of all tests; each test adds the answers it needs with `server.use`. */
export const server = setupServer();

const META = { timestamp: '2026-11-23T09:00:00Z', request_id: 'req_test' };
const API = '*/api/v1';

type Method = 'get' | 'post' | 'patch' | 'delete';

/** A request as the server saw it. */
export interface Seen {
  url: URL;
  body: unknown;
}

/** Answers a route with one resource in the envelope; returns what was asked. */
export function answer(method: Method, path: string, data: JsonBodyType, status = 200): Seen[] {
  const seen: Seen[] = [];
  server.use(
    http[method](`${API}${path}`, async ({ request }) => {
      const text = await request.clone().text();
      const isJson = request.headers.get('content-type')?.includes('json') ?? false;
      seen.push({ url: new URL(request.url), body: isJson ? JSON.parse(text) : text });
      return HttpResponse.json({ data, meta: META }, { status });
    }),
  );
  return seen;
}

/** Answers a list with one page that holds all of it. */
export function answerPage(path: string, items: JsonBodyType[], total = items.length): Seen[] {
  const seen: Seen[] = [];
  server.use(
    http.get(`${API}${path}`, ({ request }) => {
      const url = new URL(request.url);
      seen.push({ url, body: null });
      const page = Number(url.searchParams.get('page') ?? 1);
      const limit = Number(url.searchParams.get('limit') ?? 50);
      const pagination = { page, limit, total, has_next: page * limit < total };
      return HttpResponse.json({ data: items, pagination, meta: META });
    }),
  );
  return seen;
}

/** Refuses a route with the error envelope. */
export function refuse(
  method: Method,
  path: string,
  error: { code: string; message: string; details?: Record<string, JsonBodyType> },
  status = 400,
): void {
  server.use(
    http[method](`${API}${path}`, () =>
      HttpResponse.json(
        { error: { details: {}, retryable: false, ...META, ...error }, meta: META },
        { status },
      ),
    ),
  );
}
