import { PathForm } from '@/components/common/PathForm';
import { datasetService } from '@/services/datasetService';
import { fields } from '@/services/generated/fields';
import { nameFromPath } from '@/utils/validation';
import { useAddDataset } from './useAddDataset';

/** Imports a file or folder that the server can read. */
export function PathImporter() {
  const { run, isBusy, error } = useAddDataset(datasetService.importLocal);
  return (
    <PathForm
      submitLabel="Import"
      hint={fields.DatasetImport.path.help}
      placeholder="~/texts/corpus.jsonl"
      namePlaceholder="my-corpus"
      isBusy={isBusy}
      error={error}
      send={(path, name) => run({ path, name: name || nameFromPath(path) })}
    />
  );
}
