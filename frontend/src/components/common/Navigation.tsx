import { classNames } from '@/utils/classNames';
import { TABS, type Tab, type View } from '@/utils/constants';

interface NavigationProps {
  /** None is marked while a view without a tab is shown. */
  active: View;
  onChange: (tab: Tab) => void;
}

export function Navigation({ active, onChange }: NavigationProps) {
  return (
    <nav aria-label="Sections" className="border-b border-slate-800 bg-slate-900/30">
      <div className="mx-auto flex max-w-7xl gap-8 overflow-x-auto px-6">
        {TABS.map((tab) => (
          <a
            key={tab}
            href={`?tab=${tab}`}
            aria-current={tab === active ? 'page' : undefined}
            onClick={(event) => {
              if (event.metaKey || event.ctrlKey || event.shiftKey) return;
              event.preventDefault();
              onChange(tab);
            }}
            className={classNames(
              '-mb-px border-b-2 py-2.5 font-medium capitalize transition-colors',
              tab === active
                ? 'border-emerald-400 text-emerald-400'
                : 'border-transparent text-slate-400 hover:text-slate-300',
            )}
          >
            {tab}
          </a>
        ))}
      </div>
    </nav>
  );
}
