import { SavedShelf } from '@/components/common/SavedShelf';
import { usePresets } from '@/hooks/useSteeringRuns';
import { useSteeringStore } from '@/stores/steeringStore';
import { toast } from '@/stores/uiStore';
import type { Preset } from '@/types/steering.types';
import { formatDecimal } from '@/utils/format';
import { suggestPreset, toPreset, withPreset } from './runConfig';

interface SteeringPresetsProps {
  trainingId: string | null;
  /** The layer that the features act at now. */
  layer: number | null;
}

/** Features with their strengths under names; they belong to their training. */
export function SteeringPresets({ trainingId, layer }: SteeringPresetsProps) {
  const presets = usePresets(trainingId);
  const config = useSteeringStore((state) => state.config);
  const { setConfig } = useSteeringStore.getState();
  const save = async (name: string, description: string | null) => {
    if (trainingId === null || layer === null || config.steered.length === 0) {
      toast('error', 'Add a feature first: a preset holds features with their strengths.');
      return false;
    }
    return presets.save.run(toPreset(config, trainingId, layer, name, description));
  };
  return (
    <SavedShelf
      title="Steering Presets"
      items={presets.items}
      problem={presets.problem}
      describe={describePreset}
      suggestName={() => suggestPreset(config, layer)}
      isSaving={presets.save.isBusy}
      onSave={save}
      onLoad={(preset) => setConfig(withPreset(config, preset))}
      onMark={(preset) => void presets.change.run(preset, { is_favorite: !preset.is_favorite })}
      onRename={(preset, name) => void presets.change.run(preset, { name })}
      onRemove={(preset) => void presets.remove.run(preset)}
    />
  );
}

function describePreset({ features, intervention_layer: layer, temperature }: Preset): string {
  const layers = new Set(features.map((feature) => feature.layer ?? layer));
  const n = features.length;
  return [
    `${n} feature${n === 1 ? '' : 's'}`,
    `layer${layers.size === 1 ? '' : 's'} ${[...layers].sort((a, b) => a - b).join(', ')}`,
    `T ${formatDecimal(temperature, 1)}`,
  ].join(' · ');
}
