import axios, { type AxiosRequestConfig, AxiosError, type InternalAxiosRequestConfig } from 'axios';
import type { PageOf, Problem } from '@/types/api.types';

export const API_PREFIX = '/api/v1';

/** The only error that the services throw. `message` is a sentence for the user. */
export class ApiError extends Error implements Problem {
  readonly code: string;
  readonly details: Record<string, unknown>;
  readonly retryable: boolean;
  readonly status: number | null;

  constructor(problem: Problem & { status?: number | null }) {
    super(problem.message);
    this.name = 'ApiError';
    this.code = problem.code ?? 'UNKNOWN';
    this.details = problem.details ?? {};
    this.retryable = problem.retryable ?? false;
    this.status = problem.status ?? null;
  }

  /** Messages of a VALIDATION_ERROR by field name. */
  get fieldErrors(): Record<string, string> {
    const errors = this.details.errors;
    if (!Array.isArray(errors)) return {};
    const entries = errors.filter(isFieldError).map((e) => [e.field, e.message] as const);
    return Object.fromEntries(entries);
  }
}

interface FieldError {
  field: string;
  message: string;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isFieldError(value: unknown): value is FieldError {
  return isRecord(value) && typeof value.field === 'string' && typeof value.message === 'string';
}

/** Reads the error envelope; anything else becomes a sentence about the connection. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (!(error instanceof AxiosError)) {
    return new ApiError({ message: error instanceof Error ? error.message : 'Unknown error' });
  }
  return readRefusal(error.response?.status ?? null, error.response?.data);
}

/** Makes an error of what was answered; a status of null is no answer at all. */
function readRefusal(status: number | null, body: unknown): ApiError {
  if (isRecord(body) && isRecord(body.error) && typeof body.error.message === 'string') {
    return new ApiError({ ...(body.error as unknown as Problem), status });
  }
  if (status === null) {
    return new ApiError({
      code: 'NETWORK_ERROR',
      message: 'The server does not answer. Is MechInterp Studio still running?',
      retryable: true,
    });
  }
  return new ApiError({
    code: 'HTTP_ERROR',
    message: `The server answered with status ${status}.`,
    retryable: status >= 500,
    status,
  });
}

export const http = axios.create({
  baseURL: API_PREFIX,
  timeout: 30_000,
  // `state=failed&state=cancelled`, as FastAPI reads lists.
  paramsSerializer: { indexes: null },
});

const LONGEST_WAIT_S = 10;
const MOST_WAITS = 5;

/** Seconds that a limit asks a read to wait, or null where waiting is not for us to do. */
function waitFor(error: unknown): number | null {
  if (!(error instanceof AxiosError) || error.response?.status !== 429) return null;
  if (error.config?.method !== 'get') return null;
  const seconds = Number(error.response.headers['retry-after'] ?? NaN);
  return seconds <= LONGEST_WAIT_S ? seconds : null;
}

interface WaitingConfig extends InternalAxiosRequestConfig {
  waits?: number;
}

http.interceptors.response.use(undefined, async (error: unknown) => {
  if (axios.isCancel(error)) throw error;
  const seconds = waitFor(error);
  const config = error instanceof AxiosError ? (error.config as WaitingConfig | undefined) : null;
  const waits = (config?.waits ?? 0) + 1;
  if (seconds === null || !config || waits > MOST_WAITS) throw toApiError(error);
  // Reached through a network the server counts requests; a page that opens may ask too often.
  await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
  return http.request({ ...config, waits } as WaitingConfig);
});

type Param = string | number | boolean | null | undefined;
type Params = Record<string, Param | readonly Param[]>;

async function request<T>(config: AxiosRequestConfig): Promise<T> {
  const response = await http.request<{ data: T }>(config);
  return response.data.data;
}

/** `timeout` in milliseconds, for answers that take long. */
export function get<T>(
  url: string,
  params?: Params,
  signal?: AbortSignal,
  timeout?: number,
): Promise<T> {
  return request<T>({ method: 'GET', url, params, signal, ...(timeout ? { timeout } : {}) });
}

export async function getPage<T>(
  url: string,
  params?: Params,
  signal?: AbortSignal,
): Promise<PageOf<T>> {
  type Body = Omit<PageOf<T>, 'items'> & { data: T[] };
  const response = await http.get<Body>(url, { params, signal });
  const { data: items, pagination, live = null } = response.data;
  return { items, pagination, live };
}

/** Follows the pages of a list to its end, at most 1,000 entries. */
export async function getAll<T>(url: string, params?: Params): Promise<T[]> {
  const items: T[] = [];
  for (let page = 1; page <= 10; page += 1) {
    const part = await getPage<T>(url, { ...params, page, limit: 100 });
    items.push(...part.items);
    if (!part.pagination.has_next) break;
  }
  return items;
}

export function post<T>(url: string, body?: unknown, config?: AxiosRequestConfig): Promise<T> {
  return request<T>({ method: 'POST', url, data: body, ...config });
}

export function patch<T>(url: string, body: unknown): Promise<T> {
  return request<T>({ method: 'PATCH', url, data: body });
}

export function remove<T>(url: string): Promise<T> {
  return request<T>({ method: 'DELETE', url });
}

/** Waits for the head of an answer that is a file and reads nothing of it. Throws a refusal. */
export async function untilItBegins(url: string): Promise<void> {
  const controller = new AbortController();
  const response = await fetch(url, { signal: controller.signal }).catch(() => null);
  if (response?.ok) controller.abort();
  else throw readRefusal(response?.status ?? null, await response?.json().catch(() => null));
}

/** True for a request that was aborted on purpose and needs no message. */
export function isAborted(error: unknown): boolean {
  return axios.isCancel(error);
}
