import { FolderInput } from 'lucide-react';
import { type SubmitEvent, useState } from 'react';
import { Button } from '@/components/common/Button';
import { ErrorBox } from '@/components/common/ErrorBox';
import { Input } from '@/components/common/Input';
import { datasetService } from '@/services/datasetService';
import { fields } from '@/services/generated/fields';
import { nameFromPath } from '@/utils/validation';
import { useAddDataset } from './useAddDataset';

/** Imports a file or folder that the server can read. */
export function PathImporter() {
  const [path, setPath] = useState('');
  const [name, setName] = useState('');
  const { run, isBusy, error } = useAddDataset(datasetService.importLocal);

  const handleSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    const isSent = await run({ path: path.trim(), name: name.trim() || nameFromPath(path) });
    if (!isSent) return;
    setPath('');
    setName('');
  };

  return (
    <form onSubmit={(event) => void handleSubmit(event)} className="space-y-4">
      <Input
        label="Path"
        mono
        placeholder="~/texts/corpus.jsonl"
        value={path}
        onChange={setPath}
        hint={fields.DatasetImport.path.help}
        error={error?.fieldErrors.path}
        spellCheck={false}
      />
      <Input
        label="Name (optional)"
        placeholder={nameFromPath(path) || 'my-corpus'}
        value={name}
        onChange={setName}
        error={error?.fieldErrors.name}
      />
      {error && <ErrorBox problem={error} />}
      <Button
        type="submit"
        variant="primary"
        size="lg"
        block
        icon={FolderInput}
        busy={isBusy}
        disabled={isBusy || !path.trim()}
      >
        Import
      </Button>
    </form>
  );
}
