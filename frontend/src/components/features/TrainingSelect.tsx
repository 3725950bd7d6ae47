import { Select } from '@/components/common/Select';
import type { Training } from '@/types/training.types';
import { formatInteger } from '@/utils/format';
import { hookShortName } from '@/utils/hookNames';
import { datasetName, trainingLabel } from '@/utils/trainings';

interface TrainingSelectProps {
  trainings: readonly Training[];
  selected: Training | null;
  onSelect: (id: string) => void;
}

/** The training whose features are looked at. */
export function TrainingSelect({ trainings, selected, onSelect }: TrainingSelectProps) {
  return (
    <Select
      label="Select Training Job to Analyze"
      value={selected?.id ?? ''}
      onChange={onSelect}
      options={trainings.map((t) => ({ value: t.id, label: trainingLabel(t) }))}
    />
  );
}

/** What it was trained on. */
export function TrainingFacts({ training }: { training: Training }) {
  return (
    <dl className="mt-2 flex flex-wrap gap-2 text-sm">
      <Chip name="Model" value={training.model_name} />
      <Chip name="Dataset" value={datasetName(training)} />
      <Chip
        name="Encoder"
        value={`${training.encoder_type}, ${formatInteger(training.n_latents)} latents`}
      />
      <Chip name="Layer" value={`${training.layer}, ${hookShortName(training.hook_type)}`} />
    </dl>
  );
}

function Chip({ name, value }: { name: string; value: string }) {
  return (
    <div className="flex min-w-0 gap-2 rounded-lg bg-slate-800/50 px-2.5 py-1">
      <dt className="text-slate-400">{name}</dt>
      <dd className="truncate text-slate-200">{value}</dd>
    </div>
  );
}
