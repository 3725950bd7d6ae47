import type { ReactNode } from 'react';
import { classNames } from '@/utils/classNames';

interface CardProps {
  children: ReactNode;
  className?: string;
  /** Names the region for screen readers. */
  label?: string;
}

export function Card({ children, className, label }: CardProps) {
  return (
    <section
      aria-label={label}
      className={classNames('rounded-lg border border-slate-800 bg-slate-900/50 p-6', className)}
    >
      {children}
    </section>
  );
}

interface PageTitleProps {
  title: string;
  subtitle?: string;
  actions?: ReactNode;
}

export function PageTitle({ title, subtitle, actions }: PageTitleProps) {
  return (
    <div className="mb-6 flex flex-wrap items-end justify-between gap-4">
      <div>
        <h2 className="text-2xl font-semibold">{title}</h2>
        {subtitle && <p className="mt-1 text-slate-400">{subtitle}</p>}
      </div>
      {actions}
    </div>
  );
}
