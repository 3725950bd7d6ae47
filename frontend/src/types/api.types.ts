import type { components } from '@/services/generated/schema';

export type Schemas = components['schemas'];

export type ErrorCode = Schemas['ErrorCode'];
/** Lists that stop counting broad filters say so; some go on from a cursor. */
export type Pagination = Schemas['Pagination'] & {
  total_is_capped?: boolean;
  next_cursor?: string | null;
};
export type JobAccepted = Schemas['JobAccepted'];

/** One page of a list, as the services hand it on. */
export interface PageOf<T> {
  items: T[];
  pagination: Pagination;
  /** Of a search that was also read as a text. */
  live?: Schemas['LiveSearch'] | null;
}

/** What a failed request or a failed job looks like to the page. */
export interface Problem {
  message: string;
  code?: string;
  details?: Record<string, unknown>;
  retryable?: boolean;
}
