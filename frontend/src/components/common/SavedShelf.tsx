import { Pencil, Save, Star, Upload } from 'lucide-react';
import { type ReactNode, useId, useState } from 'react';
import type { Problem } from '@/types/api.types';
import { Button } from './Button';
import { ConfirmButton } from './ConfirmButton';
import { Disclosure } from './Disclosure';
import { ErrorBox } from './ErrorBox';
import { IconButton } from './IconButton';
import { Input } from './Input';

interface Entry {
  id: string;
  name: string;
  description: string | null;
  is_favorite: boolean;
}

interface SavedShelfProps<T extends Entry> {
  /** Such as "Training Templates". */
  title: string;
  /** Null while they are on their way. */
  items: readonly T[] | null;
  problem: Problem | null;
  /** The settings of an entry in one line. */
  describe: (item: T) => string;
  /** A name for what would be saved now. */
  suggestName: () => string;
  isSaving: boolean;
  /** Why what is set now cannot be kept, as a sentence. */
  obstacle?: string | null;
  onSave: (name: string, description: string | null) => Promise<boolean>;
  onLoad: (item: T) => void;
  onMark: (item: T) => void;
  /** Leave out where entries keep their name. */
  onRename?: (item: T, name: string) => void;
  onRemove: (item: T) => void;
  /** More buttons beside Save, such as export and import. */
  actions?: ReactNode;
}

/** Saved settings under names: keep what is set now, take up what was kept. */
export function SavedShelf<T extends Entry>(props: SavedShelfProps<T>) {
  const { title, items, problem } = props;
  return (
    <Disclosure title={`${title}${items ? ` (${items.length})` : ''}`}>
      <div className="space-y-4">
        <SaveForm {...props} />
        {problem && <ErrorBox problem={problem} />}
        {items?.length === 0 && <p className="text-sm text-slate-400">Nothing is saved yet.</p>}
        {items && items.length > 0 && (
          <ul className="max-h-72 space-y-2 overflow-y-auto">
            {items.map((item) => (
              <Row key={item.id} item={item} {...props} />
            ))}
          </ul>
        )}
      </div>
    </Disclosure>
  );
}

type SaveFormProps = Pick<
  SavedShelfProps<Entry>,
  'suggestName' | 'isSaving' | 'obstacle' | 'onSave' | 'actions'
>;

function SaveForm({ suggestName, isSaving, obstacle, onSave, actions }: SaveFormProps) {
  const id = useId();
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const suggestion = suggestName();
  const save = async () => {
    const isSaved = await onSave(name.trim() || suggestion, description.trim() || null);
    if (!isSaved) return;
    setName('');
    setDescription('');
  };
  return (
    <div className="flex flex-wrap items-end gap-3">
      <div className="min-w-52 flex-1">
        <Input
          label="Name"
          placeholder={suggestion}
          value={name}
          onChange={setName}
          maxLength={255}
        />
      </div>
      <div className="min-w-52 flex-1">
        <Input
          label="Description (optional)"
          value={description}
          onChange={setDescription}
          maxLength={10_000}
        />
      </div>
      <Button
        icon={Save}
        className="py-2.5"
        busy={isSaving}
        disabled={isSaving || Boolean(obstacle)}
        aria-describedby={obstacle ? id : undefined}
        onClick={() => void save()}
      >
        Save Current Config
      </Button>
      {actions}
      {obstacle && (
        <p id={id} className="w-full text-sm text-slate-400">
          {obstacle}
        </p>
      )}
    </div>
  );
}

type RowProps<T extends Entry> = { item: T } & Pick<
  SavedShelfProps<T>,
  'describe' | 'onLoad' | 'onMark' | 'onRename' | 'onRemove'
>;

function Row<T extends Entry>(props: RowProps<T>) {
  const { item, describe, onLoad, onMark, onRename, onRemove } = props;
  const [isRenaming, setIsRenaming] = useState(false);
  return (
    <li className="flex flex-wrap items-center justify-end gap-x-3 gap-y-1 rounded-lg bg-slate-800/50 px-4 py-2 text-sm">
      <IconButton
        label={`Favourite ${item.name}`}
        aria-pressed={item.is_favorite}
        icon={Star}
        tone={item.is_favorite ? 'yellow' : 'neutral'}
        iconClassName={item.is_favorite ? 'fill-current' : ''}
        onClick={() => onMark(item)}
      />
      <div className="min-w-48 flex-1">
        {isRenaming ? (
          <NameField
            name={item.name}
            onDone={(name) => {
              setIsRenaming(false);
              if (name !== null && name !== item.name) onRename?.(item, name);
            }}
          />
        ) : (
          <p className="truncate font-medium">{item.name}</p>
        )}
        <p className="truncate text-xs text-slate-400">
          {[item.description, describe(item)].filter(Boolean).join(' · ')}
        </p>
      </div>
      {onRename && !isRenaming && (
        <IconButton
          label={`Rename ${item.name}`}
          icon={Pencil}
          onClick={() => setIsRenaming(true)}
        />
      )}
      <Button
        size="sm"
        icon={Upload}
        className="text-emerald-400"
        aria-label={`Load ${item.name}`}
        onClick={() => onLoad(item)}
      >
        Load
      </Button>
      <ConfirmButton label={`Delete ${item.name}`} onConfirm={() => onRemove(item)} />
    </li>
  );
}

/** Enter or leaving keeps the new name, Esc the old one. */
function NameField({ name, onDone }: { name: string; onDone: (name: string | null) => void }) {
  const [draft, setDraft] = useState(name);
  return (
    <input
      aria-label={`New name of ${name}`}
      value={draft}
      maxLength={255}
      ref={(element) => element?.focus()}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={() => onDone(draft.trim() || null)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') onDone(draft.trim() || null);
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        onDone(null);
      }}
      className="w-full rounded border border-emerald-500 bg-slate-900 px-2 py-0.5 focus:outline-none"
    />
  );
}
