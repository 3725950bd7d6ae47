import { GitCompare } from 'lucide-react';
import { Button } from '@/components/common/Button';
import { Chip } from '@/components/common/Chip';
import { useFeature } from '@/hooks/useFeatures';
import { navigate } from '@/utils/urlState';
import { MAX_COMPARED, toggleCompared } from './compareTray';

interface CompareTrayProps {
  ids: readonly number[];
  onCompare: () => void;
}

/** The features put aside for comparison, at the foot of the page. */
export function CompareTray({ ids, onCompare }: CompareTrayProps) {
  if (ids.length === 0) return null;
  return (
    <section
      aria-label="Compare tray"
      className="sticky bottom-4 z-20 flex flex-wrap items-center gap-3 rounded-lg border border-slate-700 bg-slate-900 px-4 py-3 shadow-2xl"
    >
      <h3 className="text-sm font-medium text-slate-300">
        Compare ({ids.length} of {MAX_COMPARED})
      </h3>
      <div className="flex min-w-0 flex-1 flex-wrap gap-2">
        {ids.map((id) => (
          <TrayChip key={id} id={id} />
        ))}
      </div>
      <Button size="sm" variant="ghost" onClick={() => navigate({ compare: null }, 'replace')}>
        Clear
      </Button>
      <Button size="sm" icon={GitCompare} disabled={ids.length < 2} onClick={onCompare}>
        Side by side
      </Button>
    </section>
  );
}

function TrayChip({ id }: { id: number }) {
  const { row } = useFeature(id);
  const number = row ? `#${row.neuron_index}` : '…';
  return (
    <Chip removeLabel={`Take ${number} out`} onRemove={() => toggleCompared(id)}>
      <span className="font-mono text-slate-400">{number}</span> {row?.name}
    </Chip>
  );
}
