import { SavedShelf } from '@/components/common/SavedShelf';
import { useSaved } from '@/hooks/useSaved';
import { trainingTemplates } from '@/services/templateService';
import type { TrainingTemplate } from '@/types/template.types';
import type { EncoderType } from '@/types/training.types';
import { clockTag, formatInteger, formatSignificant } from '@/utils/format';
import { TemplateExchange } from './TemplateExchange';

type Values = Readonly<Record<string, unknown>>;

interface TrainingTemplatesProps {
  encoderType: EncoderType;
  values: Values;
  /** Why these settings cannot be kept. */
  obstacle: string | null;
  /** Takes over the settings of a template. */
  onLoad: (encoderType: EncoderType, values: Values) => void;
}

/** Saved configurations of trainings. */
export function TrainingTemplates({
  encoderType,
  values,
  obstacle,
  onLoad,
}: TrainingTemplatesProps) {
  const saved = useSaved('templates/training', trainingTemplates);
  return (
    <SavedShelf
      title="Training Templates"
      items={saved.items}
      problem={saved.problem}
      describe={describeTemplate}
      suggestName={() => suggestName(encoderType, values)}
      obstacle={obstacle}
      isSaving={saved.save.isBusy}
      onSave={(name, description) => {
        const body = { name, description, encoder_type: encoderType, hyperparameters: values };
        return saved.save.run(body);
      }}
      onLoad={(item) => onLoad(item.encoder_type, item.hyperparameters)}
      onMark={(item) => void saved.mark.run(item)}
      onRemove={(item) => void saved.remove.run(item)}
      actions={<TemplateExchange onImported={saved.again} />}
    />
  );
}

/** Such as `sparse_8x_10000steps_1405`. */
function suggestName(encoderType: EncoderType, values: Values): string {
  const { expansion_factor: factor, training_steps: steps } = values;
  return `${encoderType}_${String(factor)}x_${String(steps)}steps_${clockTag(new Date())}`;
}

function describeTemplate({ encoder_type: encoder, hyperparameters: h }: TrainingTemplate): string {
  const number = (name: string) => (typeof h[name] === 'number' ? h[name] : null);
  return [
    encoder,
    `LR ${formatSignificant(number('learning_rate'))}`,
    `${formatInteger(number('expansion_factor'))}x`,
    `${formatInteger(number('training_steps'))} steps`,
  ].join(' · ');
}
