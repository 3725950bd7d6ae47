import { FolderInput } from 'lucide-react';
import { type SubmitEvent, useState } from 'react';
import { SubmitButton } from '@/components/common/SubmitButton';
import { ErrorBox } from '@/components/common/ErrorBox';
import { Input } from '@/components/common/Input';
import type { Problem } from '@/types/api.types';
import { nameFromPath } from '@/utils/validation';

interface PathFormProps {
  submitLabel: string;
  hint: string;
  placeholder: string;
  namePlaceholder: string;
  isBusy: boolean;
  error: (Problem & { fieldErrors: Record<string, string> }) | null;
  /** Sends the trimmed path and name (empty when none was given); false keeps the form. */
  send: (path: string, name: string) => Promise<boolean>;
}

/** The form for something that the server reads from its own disk. */
export function PathForm(props: PathFormProps) {
  const [path, setPath] = useState('');
  const [name, setName] = useState('');
  const { isBusy, error } = props;

  const handleSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!(await props.send(path.trim(), name.trim()))) return;
    setPath('');
    setName('');
  };

  return (
    <form onSubmit={(event) => void handleSubmit(event)} className="space-y-4">
      <Input
        label="Path"
        mono
        placeholder={props.placeholder}
        value={path}
        onChange={setPath}
        hint={props.hint}
        error={error?.fieldErrors.path}
        spellCheck={false}
      />
      <Input
        label="Name (optional)"
        placeholder={nameFromPath(path) || props.namePlaceholder}
        value={name}
        onChange={setName}
        error={error?.fieldErrors.name}
      />
      {error && <ErrorBox problem={error} />}
      <SubmitButton icon={FolderInput} busy={isBusy} disabled={isBusy || !path.trim()}>
        {props.submitLabel}
      </SubmitButton>
    </form>
  );
}
