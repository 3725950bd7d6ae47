import type { SelectedFeature } from '@/hooks/useSteering';
import { useSteeringStore } from '@/stores/steeringStore';
import { SteeredFeatureCard } from './SteeredFeatureCard';

interface SelectedFeaturesProps {
  features: readonly SelectedFeature[];
  /** Blocks of the model that generates; null while none is chosen. */
  nLayers: number | null;
  /** Places of its blocks in which they can act. */
  places: readonly string[];
}

/** The features that steer, each with its coefficient. */
export function SelectedFeatures({ features, nLayers, places }: SelectedFeaturesProps) {
  const { changeFeature, removeFeature } = useSteeringStore.getState();
  return (
    <section aria-label="Selected features" className="space-y-3">
      <h4 className="text-sm font-medium text-slate-300">Selected Features ({features.length})</h4>
      {features.length === 0 ? (
        <p className="rounded-lg border border-dashed border-slate-800 p-4 text-sm text-slate-400">
          Add a feature from the list above, or with “Steer with this feature” in the Features tab.
        </p>
      ) : (
        <ul className="space-y-3">
          {features.map((feature) => (
            <SteeredFeatureCard
              key={feature.id}
              feature={feature}
              nLayers={nLayers}
              places={places}
              onChange={(changes) => changeFeature(feature.id, changes)}
              onRemove={() => removeFeature(feature.id)}
            />
          ))}
        </ul>
      )}
    </section>
  );
}
