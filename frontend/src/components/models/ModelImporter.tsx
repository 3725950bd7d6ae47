import { FolderInput } from 'lucide-react';
import { type SubmitEvent, useState } from 'react';
import { Button } from '@/components/common/Button';
import { ErrorBox } from '@/components/common/ErrorBox';
import { Input } from '@/components/common/Input';
import { fields } from '@/services/generated/fields';
import { modelService } from '@/services/modelService';
import { nameFromPath } from '@/utils/validation';
import { useAddModel } from './useAddModel';

/** Imports a Hugging Face folder or a GGUF file that the server can read. */
export function ModelImporter() {
  const [path, setPath] = useState('');
  const [name, setName] = useState('');
  const { run, isBusy, error } = useAddModel(modelService.importLocal);

  const handleSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!(await run({ path: path.trim(), name: name.trim() || null }))) return;
    setPath('');
    setName('');
  };

  return (
    <form onSubmit={(event) => void handleSubmit(event)} className="space-y-4">
      <Input
        label="Path"
        mono
        placeholder="~/models/SmolLM2-135M"
        value={path}
        onChange={setPath}
        hint={fields.ModelImport.path.help}
        error={error?.fieldErrors.path}
        spellCheck={false}
      />
      <Input
        label="Name (optional)"
        placeholder={nameFromPath(path) || 'my-model'}
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
        Import Model
      </Button>
    </form>
  );
}
