import { Pencil } from 'lucide-react';
import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import { classNames } from '@/utils/classNames';

interface EditableTextProps {
  /** What the text is, for readers who do not see it. */
  label: string;
  value: string | null;
  placeholder: string;
  maxLength: number;
  multiline?: boolean;
  isEditing: boolean;
  onEditing: (isEditing: boolean) => void;
  /** An empty text becomes null. */
  onSave: (value: string | null) => void;
  className?: string;
}

/** Text that turns into a field where it stands: Enter or leaving saves, Esc keeps the old one. */
export function EditableText(props: EditableTextProps) {
  const { label, value, placeholder, isEditing, onEditing, className } = props;
  const wasEditing = useRef(false);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // The field is gone; the keyboard goes on from where it stood.
    if (wasEditing.current && document.activeElement === document.body) button.current?.focus();
    wasEditing.current = isEditing;
  }, [isEditing]);
  if (isEditing) return <Editor {...props} />;
  return (
    <button
      ref={button}
      type="button"
      aria-label={`Edit ${label}`}
      onClick={() => onEditing(true)}
      className={classNames(
        'group -mx-2 flex max-w-full items-baseline gap-2 rounded px-2 py-0.5 text-left hover:bg-slate-800',
        className,
      )}
    >
      <span className={classNames('min-w-0 break-words', !value && 'text-slate-400 italic')}>
        {value ?? placeholder}
      </span>
      <Pencil
        aria-hidden
        className="size-3.5 shrink-0 text-slate-500 transition-colors group-hover:text-slate-300"
      />
    </button>
  );
}

function Editor({
  label,
  value,
  maxLength,
  multiline,
  onEditing,
  onSave,
  className,
}: EditableTextProps) {
  const [draft, setDraft] = useState(value ?? '');

  const finish = () => {
    onEditing(false);
    const next = draft.trim() || null;
    if (next !== value) onSave(next);
  };
  const handleKeyDown = (event: KeyboardEvent) => {
    const isSaving = event.key === 'Enter' && (!multiline || event.ctrlKey || event.metaKey);
    if (!isSaving && event.key !== 'Escape') return;
    event.preventDefault();
    event.stopPropagation();
    if (isSaving) finish();
    else onEditing(false);
  };
  const Control = multiline ? 'textarea' : 'input';
  return (
    <Control
      aria-label={label}
      value={draft}
      maxLength={maxLength}
      ref={(element: HTMLInputElement | HTMLTextAreaElement | null) => element?.focus()}
      rows={multiline ? 2 : undefined}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={finish}
      onKeyDown={handleKeyDown}
      className={classNames(
        '-mx-2 w-full rounded border border-emerald-500 bg-slate-900 px-2 py-0.5 focus:outline-none',
        className,
      )}
    />
  );
}
