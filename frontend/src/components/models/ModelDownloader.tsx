import { Download } from 'lucide-react';
import { type SubmitEvent, useState } from 'react';
import { Button } from '@/components/common/Button';
import { ErrorBox } from '@/components/common/ErrorBox';
import { Input } from '@/components/common/Input';
import { Select } from '@/components/common/Select';
import { fields } from '@/services/generated/fields';
import { modelService } from '@/services/modelService';
import type { ModelDownload } from '@/types/model.types';
import { isRepoId } from '@/utils/validation';
import { useAddModel } from './useAddModel';

type Quantization = NonNullable<ModelDownload['quantization']>;

const SPECS = fields.ModelDownload;
const QUANTIZATIONS = SPECS.quantization.options.map((value) => ({ value, label: value }));

function isQuantization(value: string): value is Quantization {
  return SPECS.quantization.options.some((option) => option === value);
}

/** The download form of a model on the hub. */
export function ModelDownloader() {
  const [repo, setRepo] = useState('');
  const [token, setToken] = useState('');
  const [quantization, setQuantization] = useState<Quantization>(SPECS.quantization.default);
  const { run, isBusy, error } = useAddModel(modelService.download);
  const repoError = repo && !isRepoId(repo) ? 'Spelled like owner/name' : undefined;

  const handleSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    const body = { repo_id: repo.trim(), quantization, access_token: token || null };
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
        <Select
          label="Quantization Format"
          value={quantization}
          onChange={(value) => {
            if (isQuantization(value)) setQuantization(value);
          }}
          options={QUANTIZATIONS}
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
      <Button
        type="submit"
        variant="primary"
        size="lg"
        block
        icon={Download}
        busy={isBusy}
        disabled={isBusy || !isRepoId(repo)}
      >
        Download Model from HuggingFace
      </Button>
    </form>
  );
}
