import { useState } from 'react';
import { Select } from '@/components/common/Select';
import { useModels } from '@/hooks/useModels';
import type { Dataset } from '@/types/dataset.types';
import { TokenizationList } from './TokenizationList';
import { TokenizeForm } from './TokenizeForm';
import { TokenPreview } from './TokenPreview';

/** Tokenising: whose tokenizer, how long a window, a preview, and what was tokenised before. */
export function DatasetTokenization({ dataset }: { dataset: Dataset }) {
  const { items } = useModels();
  const [chosen, setChosen] = useState('');
  const models = items?.filter((model) => model.status === 'ready') ?? [];
  const modelId = chosen || (models[0]?.id ?? '');

  return (
    <div className="space-y-8">
      <div className="max-w-xl">
        <Select
          label="Tokenizer"
          help="Text is cut into the tokens of the model that will read it."
          placeholder={models.length === 0 ? 'Add a model first' : undefined}
          value={modelId}
          onChange={setChosen}
          options={models.map((model) => ({ value: model.id, label: model.name }))}
          hint={
            items && models.length === 0
              ? 'No model is ready; add one on the Models tab.'
              : undefined
          }
        />
      </div>
      <div className="grid gap-8 lg:grid-cols-2">
        <TokenizeForm dataset={dataset} modelId={modelId} />
        <TokenPreview datasetId={dataset.id} modelId={modelId} />
      </div>
      <TokenizationList dataset={dataset} models={items ?? []} />
    </div>
  );
}
