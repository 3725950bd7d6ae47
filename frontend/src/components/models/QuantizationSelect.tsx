import { Select } from '@/components/common/Select';
import { fields } from '@/services/generated/fields';
import type { ModelDownload } from '@/types/model.types';

export type Quantization = NonNullable<ModelDownload['quantization']>;

const SPEC = fields.ModelDownload.quantization;
const OPTIONS = SPEC.options.map((value) => ({ value, label: value }));

function isQuantization(value: string): value is Quantization {
  return SPEC.options.some((option) => option === value);
}

interface QuantizationSelectProps {
  value: Quantization;
  onChange: (value: Quantization) => void;
  error?: string;
}

/** Number format that a model's weights are kept or loaded in. */
export function QuantizationSelect({ value, onChange, error }: QuantizationSelectProps) {
  return (
    <Select
      label="Quantization Format"
      value={value}
      onChange={(next) => {
        if (isQuantization(next)) onChange(next);
      }}
      options={OPTIONS}
      error={error}
    />
  );
}
