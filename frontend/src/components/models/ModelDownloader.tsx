import { Download } from 'lucide-react';
import { type SubmitEvent, useState } from 'react';
import { SubmitButton } from '@/components/common/SubmitButton';
import { ErrorBox } from '@/components/common/ErrorBox';
import { Input } from '@/components/common/Input';
import { fields } from '@/services/generated/fields';
import { modelService } from '@/services/modelService';
import { isRepoId } from '@/utils/validation';
import { type Quantization, QuantizationSelect } from './QuantizationSelect';
import { useAddModel } from './useAddModel';

const DEFAULT = fields.ModelDownload.quantization.default;

/** The download form of a model on the hub. */
export function ModelDownloader() {
  const [repo, setRepo] = useState('');
  const [token, setToken] = useState('');
  const [quantization, setQuantization] = useState<Quantization>(DEFAULT);
  const { run, isBusy, error } = useAddModel(modelService.download);
  const repoError = repo && !isRepoId(repo) ? 'Spelled like owner/name' : undefined;

  const handleSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    const body = { repo_id: repo.trim(), quantization, access_token: token.trim() || null };
    if (!(await run(body))) return;
    setRepo('');
    setToken('');
  };

  return (
    <form onSubmit={(event) => void handleSubmit(event)} className="space-y-4">
      <Input
        label="HuggingFace Model Repository"
        placeholder="TinyLlama/TinyLlama-1.1B"
        value={repo}
        onChange={setRepo}
        error={repoError ?? error?.fieldErrors.repo_id}
        spellCheck={false}
      />
      <div className="grid gap-4 sm:grid-cols-2">
        <QuantizationSelect
          value={quantization}
          onChange={setQuantization}
          error={error?.fieldErrors.quantization}
        />
        <Input
          label="Access Token (optional)"
          type="password"
          autoComplete="off"
          placeholder="hf_…"
          mono
          value={token}
          onChange={setToken}
          hint="Needed for gated models; used for this download only, never stored"
        />
      </div>
      {error && <ErrorBox problem={error} />}
      <SubmitButton icon={Download} busy={isBusy} disabled={isBusy || !isRepoId(repo)}>
        Download Model from HuggingFace
      </SubmitButton>
    </form>
  );
}
