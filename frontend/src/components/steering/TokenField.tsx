import { useState } from 'react';
import { useDebounced } from '@/hooks/useDebounced';
import { useTokens } from '@/hooks/useSteering';
import { quotedToken } from '../visualizations/tokenText';
import { AddField } from './AddField';
import { RemovableChip } from './RemovableChip';

const MAX_TEXT = 200;
const MAX_TOKENS = 100;

interface TokenFieldProps {
  modelId: string | null;
  ids: readonly number[];
  onChange: (ids: readonly number[]) => void;
}

/** Tokens at which the features act alone, typed as text and shown as the model cuts it. */
export function TokenField({ modelId, ids, onChange }: TokenFieldProps) {
  const [text, setText] = useState('');
  const isLong = text.length > MAX_TEXT;
  const typed = useDebounced(isLong ? '' : text);
  const { data, error } = useTokens(modelId, typed, ids);
  const found = typed !== '' && typed === text ? (data?.tokens ?? []) : [];
  const news = [...new Set(found.map(({ id }) => id))].filter((id) => !ids.includes(id));
  const isFull = ids.length + news.length > MAX_TOKENS;
  const add = () => {
    onChange([...ids, ...news]);
    setText('');
  };
  const nameOf = (id: number) => data?.named.find((token) => token.id === id)?.text;
  return (
    <div className="space-y-2">
      <AddField
        label="Only at these tokens"
        help="Words as the model reads them: “ cat” with the space before it is another token than “cat”."
        placeholder={modelId ? 'all, or type a word' : 'choose a model first'}
        disabled={modelId === null}
        error={problemOf({ isLong, isFull, message: error?.message })}
        value={text}
        onChange={setText}
        addLabel="Add the tokens"
        canAdd={news.length > 0 && !isFull}
        onAdd={add}
      />
      {found.length > 0 && (
        <p className="flex flex-wrap items-center gap-1 text-xs text-slate-400">
          Read as
          {found.map(({ id, text: piece }, index) => (
            <span
              key={index}
              title={`token ${id}`}
              className="rounded border border-slate-700 px-1 font-mono whitespace-pre text-slate-200"
            >
              {quotedToken(piece ?? '')}
            </span>
          ))}
        </p>
      )}
      {ids.length > 0 && (
        <ul aria-label="Tokens at which it acts" className="flex flex-wrap gap-1.5">
          {ids.map((id) => (
            <RemovableChip
              key={id}
              text={shownName(nameOf(id), id)}
              title={`token ${id}: leave it out again`}
              onRemove={() => onChange(ids.filter((other) => other !== id))}
            />
          ))}
        </ul>
      )}
    </div>
  );
}

interface Problem {
  isLong: boolean;
  isFull: boolean;
  message: string | undefined;
}

function problemOf({ isLong, isFull, message }: Problem): string | undefined {
  if (isLong) return `At most ${MAX_TEXT} characters`;
  return isFull ? `At most ${MAX_TOKENS} tokens` : message;
}

/** The token's text; one that this model does not have is named so. */
function shownName(name: string | null | undefined, id: number): string {
  if (name === undefined) return `#${id}`;
  return name === null ? `#${id} (no such token)` : quotedToken(name);
}
