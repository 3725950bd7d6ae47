import { Download } from 'lucide-react';
import { type SubmitEvent, useState } from 'react';
import { SubmitButton } from '@/components/common/SubmitButton';
import { ErrorBox } from '@/components/common/ErrorBox';
import { Input } from '@/components/common/Input';
import { NumberInput } from '@/components/common/NumberInput';
import { datasetService } from '@/services/datasetService';
import { fields } from '@/services/generated/fields';
import { isRepoId, specError } from '@/utils/validation';
import { useAddDataset } from './useAddDataset';

const EMPTY = { repo: '', token: '', split: '', config: '', column: '' };

/** The download form: a repository, optionally a part of it. */
export function HuggingFaceDownloader() {
  const [form, setForm] = useState(EMPTY);
  const [maxDocuments, setMaxDocuments] = useState<number | null>(null);
  const { run, isBusy, error } = useAddDataset(datasetService.download);
  const set = (key: keyof typeof EMPTY) => (value: string) => setForm({ ...form, [key]: value });

  const repo = form.repo.trim();
  const repoError = repo && !isRepoId(repo) ? 'Spelled like owner/name' : undefined;

  const countError = specError(fields.DatasetDownload.max_documents, maxDocuments);

  const handleSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    const isSent = await run({
      repo_id: repo,
      access_token: form.token.trim() || null,
      split: form.split || null,
      config: form.config || null,
      text_column: form.column || null,
      max_documents: maxDocuments,
    });
    if (isSent) setForm(EMPTY);
  };

  return (
    <form onSubmit={(event) => void handleSubmit(event)} className="space-y-4">
      <Input
        label="Dataset Repository"
        placeholder="roneneldan/TinyStories"
        value={form.repo}
        onChange={set('repo')}
        error={repoError ?? error?.fieldErrors.repo_id}
        spellCheck={false}
      />
      <div className="grid gap-4 sm:grid-cols-2 lg:grid-cols-4">
        <Input
          label="Split (optional)"
          placeholder="train"
          value={form.split}
          onChange={set('split')}
          hint="By default train"
          error={error?.fieldErrors.split}
        />
        <Input
          label="Config (optional)"
          value={form.config}
          onChange={set('config')}
          hint="If it holds several datasets"
          error={error?.fieldErrors.config}
        />
        <Input
          label="Text column"
          placeholder="text"
          value={form.column}
          onChange={set('column')}
          hint={fields.DatasetDownload.text_column.help}
          error={error?.fieldErrors.text_column}
        />
        <NumberInput
          label="Documents at most"
          placeholder="all"
          value={maxDocuments}
          onChange={setMaxDocuments}
          hint={fields.DatasetDownload.max_documents.help}
          error={countError ?? error?.fieldErrors.max_documents}
        />
      </div>
      <Input
        label="Access Token (optional)"
        type="password"
        autoComplete="off"
        placeholder="hf_…"
        mono
        value={form.token}
        onChange={set('token')}
        hint={fields.DatasetDownload.access_token.help}
      />
      {error && <ErrorBox problem={error} />}
      <SubmitButton
        icon={Download}
        busy={isBusy}
        disabled={isBusy || !isRepoId(repo) || countError !== undefined}
      >
        Download Dataset
      </SubmitButton>
    </form>
  );
}
