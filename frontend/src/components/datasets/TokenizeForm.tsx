import { Scissors } from 'lucide-react';
import { type SubmitEvent, useState } from 'react';
import { SubmitButton } from '@/components/common/SubmitButton';
import { Disclosure } from '@/components/common/Disclosure';
import { ErrorBox } from '@/components/common/ErrorBox';
import { SpecField } from '@/components/common/SpecField';
import { useAction } from '@/hooks/useAction';
import { useSpecForm } from '@/hooks/useSpecForm';
import { datasetService } from '@/services/datasetService';
import { fields } from '@/services/generated/fields';
import { useDatasetStore } from '@/stores/datasetStore';
import type { Dataset, TokenizeRequest } from '@/types/dataset.types';

const SPECS = fields.TokenizeRequest;
const MAIN = ['max_length', 'heldout_percent'] as const;
const MORE = ['max_documents', 'max_tokens', 'separator', 'start_token'] as const;
const LABELS = {
  max_length: 'Max Sequence Length',
  heldout_percent: 'Held-out Share',
  max_documents: 'Documents at most',
  max_tokens: 'Tokens at most',
  separator: 'Separator',
  start_token: 'Start Token',
};

interface TokenizeFormProps {
  dataset: Dataset;
  modelId: string;
}

/** Settings of a tokenisation and the button that starts it. */
export function TokenizeForm({ dataset, modelId }: TokenizeFormProps) {
  const form = useSpecForm(SPECS, [...MAIN, ...MORE]);
  const { run, isBusy, error } = useAction(async () => {
    const body = { ...form.values, model_id: modelId } as TokenizeRequest;
    await datasetService.tokenize(dataset.id, body);
    await useDatasetStore.getState().refresh(dataset.id);
  });
  const [isSent, setIsSent] = useState(false);

  const handleSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    setIsSent(await run());
  };

  const field = (name: keyof typeof LABELS) => (
    <SpecField
      key={name}
      spec={SPECS[name]}
      label={LABELS[name]}
      value={form.values[name] ?? null}
      onChange={form.set(name)}
      error={form.errors[name] ?? error?.fieldErrors[name]}
    />
  );

  return (
    <form onSubmit={(event) => void handleSubmit(event)} className="space-y-4">
      <h3 className="text-lg font-semibold">Settings</h3>
      <div className="grid gap-4 sm:grid-cols-2">{MAIN.map(field)}</div>
      <Disclosure title="More settings">
        <div className="grid gap-4 sm:grid-cols-2">{MORE.map(field)}</div>
      </Disclosure>
      {error && <ErrorBox problem={error} />}
      <SubmitButton icon={Scissors} busy={isBusy} disabled={isBusy || !modelId || form.hasErrors}>
        {isBusy ? 'Processing Dataset…' : 'Apply & Tokenize Dataset'}
      </SubmitButton>
      <p role="status" className="min-h-5 text-sm text-slate-400">
        {isSent && 'Started: its progress is listed below.'}
      </p>
    </form>
  );
}
