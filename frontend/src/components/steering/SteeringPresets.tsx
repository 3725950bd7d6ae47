import { SavedShelf } from '@/components/common/SavedShelf';
import { usePresets } from '@/hooks/useSteeringRuns';
import { useSteeringStore } from '@/stores/steeringStore';
import type { Preset } from '@/types/steering.types';
import { formatDecimal } from '@/utils/format';
import { hookShortName } from '@/utils/hookNames';
import { settingsReason } from './steeringRequest';
import { suggestPreset, toPreset, withPreset } from './runConfig';

interface SteeringPresetsProps {
  trainingId: string | null;
  /** The layer of the dictionary. */
  ownLayer: number | null;
}

/** All that is set but the prompt, under names; a preset belongs to its features' training. */
export function SteeringPresets({ trainingId, ownLayer }: SteeringPresetsProps) {
  const presets = usePresets(trainingId);
  const config = useSteeringStore((state) => state.config);
  const { setConfig } = useSteeringStore.getState();
  const layer = config.layer ?? ownLayer;
  const save = async (name: string, description: string | null) => {
    if (trainingId === null || layer === null) return false;
    return presets.save.run(toPreset(config, trainingId, layer, name, description));
  };
  return (
    <SavedShelf
      title="Steering Presets"
      items={presets.items}
      problem={presets.problem}
      describe={describePreset}
      suggestName={() => suggestPreset(config, layer)}
      obstacle={
        trainingId === null || layer === null || config.steered.length === 0
          ? 'Add a feature first: a preset holds features with their strengths.'
          : settingsReason(config)
      }
      isSaving={presets.save.isBusy}
      onSave={save}
      onLoad={(preset) => setConfig(withPreset(config, preset, ownLayer))}
      onMark={(preset) => void presets.change.run(preset, { is_favorite: !preset.is_favorite })}
      onRename={(preset, name) => void presets.change.run(preset, { name })}
      onRemove={(preset) => void presets.remove.run(preset)}
    />
  );
}

function describePreset(preset: Preset): string {
  const { features, intervention_layer: layer, temperature, condition, mode, settings } = preset;
  const layers = new Set(features.map((feature) => feature.layer ?? layer));
  const places = new Set(features.flatMap((feature) => feature.hook_type ?? []));
  const n = features.length;
  return [
    `${n} feature${n === 1 ? '' : 's'}`,
    `layer${layers.size === 1 ? '' : 's'} ${[...layers].sort((a, b) => a - b).join(', ')}`,
    ...[...places].map(hookShortName),
    `T ${formatDecimal(temperature, 1)}`,
    ...(condition ? ['where a feature fires'] : []),
    ...(settings.use_chat_template ? ['chat'] : []),
    ...(mode === 'reconstruction' ? ['reconstruction'] : []),
  ].join(' · ');
}
