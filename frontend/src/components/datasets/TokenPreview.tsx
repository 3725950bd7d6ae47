import { Sparkles } from 'lucide-react';
import { useState } from 'react';
import { Button } from '@/components/common/Button';
import { ErrorBox } from '@/components/common/ErrorBox';
import { TextArea } from '@/components/common/Input';
import { useAction } from '@/hooks/useAction';
import { datasetService } from '@/services/datasetService';
import type { TokenizePreview } from '@/types/dataset.types';
import { classNames } from '@/utils/classNames';
import { formatInteger } from '@/utils/format';

interface TokenPreviewProps {
  datasetId: string;
  modelId: string;
}

const STRIPES = ['bg-emerald-500/15', 'bg-blue-500/15', 'bg-purple-500/15'];

function visible(text: string): string {
  return text.replaceAll('\n', '↵').replaceAll(' ', '·');
}

/** Shows how the model's tokenizer cuts a text. */
export function TokenPreview({ datasetId, modelId }: TokenPreviewProps) {
  const [text, setText] = useState('The cat sat on the mat.');
  const [result, setResult] = useState<TokenizePreview | null>(null);
  const { run, isBusy, error } = useAction(async () => {
    setResult(await datasetService.previewTokens(datasetId, { model_id: modelId, text }));
  });

  return (
    <section aria-label="Preview" className="space-y-4">
      <h3 className="text-lg font-semibold">Preview</h3>
      <TextArea
        label="Text"
        rows={3}
        value={text}
        onChange={setText}
        error={error?.fieldErrors.text}
      />
      <Button
        icon={Sparkles}
        busy={isBusy}
        disabled={isBusy || !text || !modelId}
        onClick={() => void run()}
      >
        Tokenize Preview
      </Button>
      {error && <ErrorBox problem={error} />}
      {result && (
        <div aria-live="polite">
          <p className="mb-2 text-sm text-slate-400">
            {formatInteger(result.n_tokens)} tokens of {formatInteger(result.n_characters)}{' '}
            characters
          </p>
          <ul className="flex max-h-48 flex-wrap gap-1 overflow-y-auto" aria-label="Tokens">
            {result.tokens.map((token, index) => (
              <li
                key={index}
                title={`id ${token.id}`}
                className={classNames(
                  'rounded px-1.5 py-0.5 font-mono text-sm whitespace-pre',
                  STRIPES[index % STRIPES.length],
                )}
              >
                {visible(token.text)}
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}
