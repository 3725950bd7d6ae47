import { ChevronLeft, ChevronRight } from 'lucide-react';
import type { Pagination } from '@/types/api.types';
import { formatInteger } from '@/utils/format';
import { Button } from './Button';

interface PagerProps {
  pagination: Pagination;
  /** What is counted, such as "samples". */
  noun: string;
  onPage: (page: number) => void;
}

/** "Showing a–b of n" with Previous and Next. */
export function Pager({ pagination, noun, onPage }: PagerProps) {
  const { page, limit, total, has_next: hasNext } = pagination;
  const first = total === 0 ? 0 : (page - 1) * limit + 1;
  const last = Math.min(page * limit, total);
  return (
    <nav aria-label={`Pages of ${noun}`} className="flex items-center justify-between gap-4">
      <p className="text-sm text-slate-400 tabular-nums">
        Showing {formatInteger(first)}–{formatInteger(last)} of {formatInteger(total)} {noun}
      </p>
      <div className="flex gap-2">
        <Button size="sm" icon={ChevronLeft} disabled={page <= 1} onClick={() => onPage(page - 1)}>
          Previous
        </Button>
        <Button size="sm" disabled={!hasNext} onClick={() => onPage(page + 1)}>
          Next
          <ChevronRight className="size-4" aria-hidden />
        </Button>
      </div>
    </nav>
  );
}
