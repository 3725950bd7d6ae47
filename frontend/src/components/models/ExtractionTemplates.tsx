import { SavedShelf } from '@/components/common/SavedShelf';
import { useSaved } from '@/hooks/useSaved';
import { extractionTemplates } from '@/services/templateService';
import type { ExtractionTemplate, ExtractionTemplateWrite } from '@/types/template.types';
import { clockTag, formatInteger } from '@/utils/format';

/** What a template keeps of an extraction. */
export interface ExtractionChoice {
  layers: number[];
  hookTypes: string[];
  maxSamples: number | null;
}

interface ExtractionTemplatesProps {
  choice: ExtractionChoice;
  /** Why this choice cannot be kept. */
  obstacle: string | null;
  onLoad: (choice: ExtractionChoice) => void;
}

/** Saved choices of layers, activation types and windows. */
export function ExtractionTemplates({ choice, obstacle, onLoad }: ExtractionTemplatesProps) {
  const saved = useSaved('templates/extraction', extractionTemplates);
  return (
    <SavedShelf
      title="Extraction Templates"
      items={saved.items}
      problem={saved.problem}
      describe={describeTemplate}
      suggestName={() => suggestName(choice)}
      obstacle={obstacle}
      isSaving={saved.save.isBusy}
      onSave={(name, description) => {
        const { layers, hookTypes, maxSamples } = choice;
        const body = { name, description, layers, hook_types: hookTypes, max_samples: maxSamples };
        return saved.save.run(body as ExtractionTemplateWrite);
      }}
      onLoad={(item) =>
        onLoad({
          layers: item.layers ?? choice.layers,
          hookTypes: item.hook_types ?? choice.hookTypes,
          maxSamples: item.max_samples,
        })
      }
      onMark={(item) => void saved.mark.run(item)}
      onRemove={(item) => void saved.remove.run(item)}
    />
  );
}

/** Such as `residual_layers1-5_allsamples_1405`. */
export function suggestName({ layers, hookTypes, maxSamples }: ExtractionChoice): string {
  const span = layers.length > 1 ? `${layers[0] ?? 0}-${layers.at(-1) ?? 0}` : `${layers[0] ?? 0}`;
  const samples = maxSamples === null ? 'all' : String(maxSamples);
  return `${hookTypes.join('+')}_layers${span}_${samples}samples_${clockTag(new Date())}`;
}

function describeTemplate(item: ExtractionTemplate): string {
  const layers = item.layers ? `layers ${item.layers.join(', ')}` : 'any layer';
  const hooks = item.hook_types?.join(', ') ?? 'any activation';
  const most = item.max_samples === null ? 'all' : formatInteger(item.max_samples);
  return `${layers} · ${hooks} · ${most} windows`;
}
