import type { ReactNode } from 'react';
import type { Problem } from '@/types/api.types';
import { ErrorBox } from './ErrorBox';

interface FetchedProps<T> {
  /** What a request came to; null while it is on its way. */
  data: T | null;
  error: Problem | null;
  again: () => void;
  /** Stands where the content will, as high as it. */
  skeleton: ReactNode;
  children: (data: T) => ReactNode;
}

/** What was asked for: a skeleton, then the content, or why there is none and a second try. */
export function Fetched<T>({ data, error, again, skeleton, children }: FetchedProps<T>) {
  if (error) return <ErrorBox problem={error} action={{ label: 'Try again', onClick: again }} />;
  return data === null ? skeleton : children(data);
}
