import { PathForm } from '@/components/common/PathForm';
import { fields } from '@/services/generated/fields';
import { modelService } from '@/services/modelService';
import { useAddModel } from './useAddModel';

/** Imports a Hugging Face folder or a GGUF file that the server can read. */
export function ModelImporter() {
  const { run, isBusy, error } = useAddModel(modelService.importLocal);
  return (
    <PathForm
      submitLabel="Import Model"
      hint={fields.ModelImport.path.help}
      placeholder="~/models/SmolLM2-135M"
      namePlaceholder="my-model"
      isBusy={isBusy}
      error={error}
      send={(path, name) => run({ path, name: name || null })}
    />
  );
}
