import { GitCompare } from 'lucide-react';
import { useMemo } from 'react';
import { Button } from '@/components/common/Button';
import { Chip } from '@/components/common/Chip';
import { useUrlState } from '@/hooks/useUrlState';
import type { Training } from '@/types/training.types';
import { comparedRuns, MAX_RUNS, readRuns, toggleRun } from './comparedRuns';
import { CompareRuns } from './CompareRuns';

/** The runs put aside for comparison, at the foot of the page. */
export function RunTray({ trainings }: { trainings: readonly Training[] }) {
  const [text, setRuns] = useUrlState('runs', 'replace');
  const [isComparing, setComparing] = useUrlState('comparing');
  const runs = useMemo(() => comparedRuns(readRuns(text), trainings), [text, trainings]);
  if (runs.length === 0) return null;
  return (
    <>
      <section
        aria-label="Runs to compare"
        className="sticky bottom-4 z-20 mt-6 flex flex-wrap items-center gap-3 rounded-lg border border-slate-700 bg-slate-900 px-4 py-3 shadow-2xl"
      >
        <h3 className="text-sm font-medium text-slate-300">
          Compare ({runs.length} of {MAX_RUNS})
        </h3>
        <div className="flex min-w-0 flex-1 flex-wrap gap-2">
          {runs.map(({ training, letter, color }) => (
            <Chip
              key={training.id}
              removeLabel={`Take ${training.name} out`}
              onRemove={() => toggleRun(training.id)}
            >
              <span className="font-semibold" style={{ color }}>
                {letter}
              </span>{' '}
              {training.name}
            </Chip>
          ))}
        </div>
        <Button size="sm" variant="ghost" onClick={() => setRuns(null)}>
          Clear
        </Button>
        <Button
          size="sm"
          icon={GitCompare}
          disabled={runs.length < 2}
          onClick={() => setComparing('1')}
        >
          Compare Runs
        </Button>
      </section>
      {isComparing && runs.length > 1 && (
        <CompareRuns runs={runs} onClose={() => setComparing(null)} />
      )}
    </>
  );
}
