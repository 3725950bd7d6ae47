import { fields } from '@/services/generated/fields';
import type { FieldSpec, SpecValue } from '@/types/form.types';
import type { FeatureExtract } from '@/types/feature.types';
import { specError } from '@/utils/validation';

const SPECS: Readonly<Record<string, FieldSpec>> = fields.FeatureExtract;

/** Settings of the discovery pass that a user may want to change, in the form's order. */
export const DISCOVERY_FIELDS = [
  { name: 'max_tokens', label: 'Evaluation tokens' },
  { name: 'examples_per_feature', label: 'Examples per feature' },
  { name: 'left_context', label: 'Context before' },
  { name: 'right_context', label: 'Context after' },
  { name: 'logit_lens_tokens', label: 'Logit lens tokens' },
  { name: 'coherence_features', label: 'Features compared by embeddings' },
  { name: 'batch_size', label: 'Batch size' },
].flatMap(({ name, label }) => {
  const spec = SPECS[name];
  return spec ? [{ name, label, spec }] : [];
});

export type DiscoverySettings = Record<string, SpecValue>;

export function defaultSettings(): DiscoverySettings {
  return Object.fromEntries(DISCOVERY_FIELDS.map(({ name, spec }) => [name, scalar(spec.default)]));
}

function scalar(value: FieldSpec['default']): SpecValue {
  return typeof value === 'object' ? null : value;
}

/** What is wrong with the settings, by field; empty when the API will accept them. */
export function settingsErrors(settings: DiscoverySettings): Record<string, string> {
  const errors = DISCOVERY_FIELDS.map(
    ({ name, spec }) => [name, specError(spec, settings[name])] as const,
  );
  return Object.fromEntries(errors.filter((entry): entry is [string, string] => !!entry[1]));
}

/** The request of the form; an empty field that may be empty is left to the server. */
export function toExtractRequest(trainingId: string, settings: DiscoverySettings): FeatureExtract {
  const given = Object.entries(settings).filter(([, value]) => value !== null);
  return { training_id: trainingId, ...Object.fromEntries(given) };
}
