import { Cpu } from 'lucide-react';
import type { ReactNode } from 'react';

interface HeaderProps {
  /** Running jobs, connection and device. */
  children?: ReactNode;
}

/** Nearly opaque, since bright parts of the page pass beneath its grey text. */
export function Header({ children }: HeaderProps) {
  return (
    <header className="sticky top-0 z-30 border-b border-slate-800 bg-slate-900/95 backdrop-blur">
      <div className="mx-auto flex max-w-7xl items-center justify-between gap-4 px-6 py-3">
        <div className="flex min-w-0 items-center gap-3">
          <Cpu className="size-8 shrink-0 text-emerald-400" aria-hidden />
          <div className="min-w-0">
            <h1 className="truncate text-xl font-semibold">MechInterp Studio</h1>
            <p className="truncate text-sm text-slate-400">Edge AI Feature Discovery Platform</p>
          </div>
        </div>
        <div className="flex shrink-0 items-center gap-4">{children}</div>
      </div>
    </header>
  );
}
