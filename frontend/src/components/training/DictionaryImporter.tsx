import { Cpu, Download, FolderInput } from 'lucide-react';
import { type SubmitEvent, useState } from 'react';
import { SubmitButton } from '@/components/common/SubmitButton';
import { Card } from '@/components/common/Card';
import { ErrorBox } from '@/components/common/ErrorBox';
import { Input } from '@/components/common/Input';
import { Segmented } from '@/components/common/Segmented';
import { Select } from '@/components/common/Select';
import { useAction } from '@/hooks/useAction';
import { useUrlChoice } from '@/hooks/useUrlState';
import { saeService } from '@/services/saeService';
import { useTrainingStore } from '@/stores/trainingStore';
import type { JobAccepted } from '@/types/api.types';
import type { LanguageModel } from '@/types/model.types';
import { isRepoId } from '@/utils/validation';
import { navigate } from '@/utils/urlState';
import { DictionaryPlace } from './DictionaryPlace';
import { EMPTY_DRAFT, isComplete, layerError, toDownload, toImport } from './dictionaryDraft';
import { MissingNotice } from './MissingNotice';

const SOURCES = [
  { value: 'hub', label: 'Hugging Face' },
  { value: 'path', label: 'Folder or file on this machine' },
] as const;

type Source = (typeof SOURCES)[number]['value'];

interface DictionaryImporterProps {
  models: readonly LanguageModel[] | null;
}

/** Brings in a dictionary that another library trained; importing jumps to its card. */
export function DictionaryImporter({ models }: DictionaryImporterProps) {
  const [source, setSource] = useUrlChoice<Source>('sae_from', ['hub', 'path']);
  const [draft, setDraft] = useState(EMPTY_DRAFT);
  const ready = models?.filter((model) => model.status === 'ready') ?? [];
  const model = ready.find(({ id }) => id === draft.modelId) ?? ready[0];
  const set = (changes: Partial<typeof draft>) => setDraft({ ...draft, ...changes });
  const isHub = source === 'hub';

  const { run, isBusy, error } = useAction(async (modelId: string) => {
    const accepted: JobAccepted = isHub
      ? await saeService.download(toDownload(draft, modelId))
      : await saeService.importLocal(toImport(draft, modelId));
    if (accepted.resource_id) await useTrainingStore.getState().refresh(accepted.resource_id);
    navigate({ tab: 'training', training: accepted.resource_id });
    setDraft({ ...EMPTY_DRAFT, modelId });
  });

  const handleSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    if (model) void run(model.id);
  };

  const wrongLayer = layerError(draft.layer, model?.n_layers ?? null);
  const repoError = draft.repo && !isRepoId(draft.repo) ? 'Spelled like owner/name' : undefined;
  const errors = error?.fieldErrors ?? {};
  return (
    <Card label="Import a dictionary">
      <form onSubmit={handleSubmit} className="space-y-4">
        <h3 className="text-lg font-semibold">Import a Dictionary</h3>
        <p className="max-w-3xl text-sm text-slate-400">
          Of SAELens, dictionary_learning, sparsify or Gemma Scope. Before it is used, its latents
          and reconstructions are compared with its own definition on real activations of the model.
        </p>
        <div className="grid gap-4 sm:grid-cols-2">
          <Select
            label="Model"
            hint="The one that it was trained on"
            value={model?.id ?? ''}
            onChange={(modelId) => set({ modelId })}
            options={ready.map(({ id, name }) => ({ value: id, label: name }))}
            placeholder={model ? undefined : 'No model is here yet'}
            error={errors.model_id}
          />
          <Input
            label="Name (optional)"
            placeholder="as its source is called"
            value={draft.name}
            maxLength={255}
            onChange={(name) => set({ name })}
            error={errors.name}
          />
        </div>
        {models && !model && (
          <MissingNotice
            action={{
              label: 'Add a Model',
              icon: Cpu,
              onClick: () => navigate({ tab: 'models', training: null }),
            }}
          >
            A dictionary is read together with its model. Download or import the model first.
          </MissingNotice>
        )}
        <Segmented
          label="Source of the dictionary"
          options={SOURCES}
          value={source}
          onChange={setSource}
        />
        {isHub ? (
          <div className="grid gap-4 sm:grid-cols-2">
            <Input
              label="HuggingFace Repository"
              placeholder="owner/name"
              value={draft.repo}
              onChange={(repo) => set({ repo })}
              error={repoError ?? errors.repo_id}
              spellCheck={false}
            />
            <Input
              label="Folder in it (optional)"
              mono
              placeholder="blocks.8.hook_resid_pre"
              hint="Of the one dictionary, where the repository holds several"
              value={draft.subfolder}
              onChange={(subfolder) => set({ subfolder })}
              error={errors.subfolder}
              spellCheck={false}
            />
            <Input
              label="Revision (optional)"
              mono
              placeholder="main"
              value={draft.revision}
              maxLength={128}
              onChange={(revision) => set({ revision })}
              error={errors.revision}
              spellCheck={false}
            />
            <Input
              label="Access Token (optional)"
              type="password"
              autoComplete="off"
              mono
              placeholder="hf_…"
              hint="Used for this download only, never stored"
              value={draft.token}
              maxLength={255}
              onChange={(token) => set({ token })}
              error={errors.access_token}
            />
          </div>
        ) : (
          <Input
            label="Path"
            mono
            placeholder="~/saes/blocks.8.hook_resid_pre"
            hint="Its folder, or Gemma Scope’s params.npz"
            value={draft.path}
            onChange={(path) => set({ path })}
            error={errors.path}
            spellCheck={false}
          />
        )}
        <DictionaryPlace
          draft={draft}
          onChange={set}
          errors={{ ...errors, ...(wrongLayer && { layer: wrongLayer }) }}
        />
        {error && <ErrorBox problem={error} />}
        <SubmitButton
          icon={isHub ? Download : FolderInput}
          busy={isBusy}
          disabled={isBusy || !model || !!wrongLayer || !isComplete(draft, source)}
        >
          {isHub ? 'Download and Import' : 'Import Dictionary'}
        </SubmitButton>
      </form>
    </Card>
  );
}
