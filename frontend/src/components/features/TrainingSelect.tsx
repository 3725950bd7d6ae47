import { Select } from '@/components/common/Select';
import type { Training } from '@/types/training.types';
import { formatInteger } from '@/utils/format';
import { datasetName, trainingLabel } from '@/utils/trainings';

interface TrainingSelectProps {
  trainings: readonly Training[];
  selected: Training | null;
  onSelect: (id: string) => void;
}

/** The training whose features are looked at, and what it was trained on. */
export function TrainingSelect({ trainings, selected, onSelect }: TrainingSelectProps) {
  return (
    <div className="grid items-end gap-3 xl:grid-cols-2">
      <Select
        label="Select Training Job to Analyze"
        value={selected?.id ?? ''}
        onChange={onSelect}
        options={trainings.map((t) => ({ value: t.id, label: trainingLabel(t) }))}
      />
      {selected && (
        <dl className="flex flex-wrap gap-3 text-sm">
          <Chip name="Model" value={selected.model_name} />
          <Chip name="Dataset" value={datasetName(selected)} />
          <Chip
            name="Encoder"
            value={`${selected.encoder_type}, ${formatInteger(selected.n_latents)} latents`}
          />
          <Chip name="Layer" value={`${selected.layer}, ${selected.hook_type}`} />
        </dl>
      )}
    </div>
  );
}

function Chip({ name, value }: { name: string; value: string }) {
  return (
    <div className="flex min-w-0 gap-2 rounded-lg bg-slate-800/50 px-3 py-1.5">
      <dt className="text-slate-400">{name}</dt>
      <dd className="truncate text-slate-200">{value}</dd>
    </div>
  );
}
