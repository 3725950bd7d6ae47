import { Info } from 'lucide-react';
import type { ReactNode } from 'react';

/** A blue box that says what a figure means or how to read what stands above it. */
export function InfoNote({ children }: { children: ReactNode }) {
  return (
    <div className="flex gap-3 rounded-lg border border-blue-500/30 bg-blue-500/10 p-4 text-sm text-blue-200">
      <Info className="mt-0.5 size-4 shrink-0" aria-hidden />
      <div className="min-w-0">{children}</div>
    </div>
  );
}
