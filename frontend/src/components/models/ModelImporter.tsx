import { useState } from 'react';
import { PathForm } from '@/components/common/PathForm';
import { fields } from '@/services/generated/fields';
import { modelService } from '@/services/modelService';
import { type Quantization, QuantizationSelect } from './QuantizationSelect';
import { useAddModel } from './useAddModel';

const DEFAULT = fields.ModelImport.quantization.default;

/** Imports a Hugging Face folder or a GGUF file that the server can read. */
export function ModelImporter() {
  const [quantization, setQuantization] = useState<Quantization>(DEFAULT);
  const { run, isBusy, error } = useAddModel(modelService.importLocal);
  return (
    <div className="space-y-4">
      <QuantizationSelect
        value={quantization}
        onChange={setQuantization}
        error={error?.fieldErrors.quantization}
      />
      <PathForm
        submitLabel="Import Model"
        hint={fields.ModelImport.path.help}
        placeholder="~/models/SmolLM2-135M"
        namePlaceholder="my-model"
        isBusy={isBusy}
        error={error}
        send={(path, name) => run({ path, name: name || null, quantization })}
      />
    </div>
  );
}
