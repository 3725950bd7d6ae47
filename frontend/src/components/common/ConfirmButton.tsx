import { Trash2, type LucideIcon } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Button } from './Button';
import { IconButton } from './IconButton';

interface ConfirmButtonProps {
  label: string;
  /** The question's answer that acts, such as "Delete". */
  confirmLabel?: string;
  icon?: LucideIcon;
  onConfirm: () => void;
  disabled?: boolean;
}

/** An icon that turns into "Delete / Keep" in place, so that one click destroys nothing. */
export function ConfirmButton({
  label,
  confirmLabel = 'Delete',
  icon = Trash2,
  onConfirm,
  disabled,
}: ConfirmButtonProps) {
  const [isAsking, setIsAsking] = useState(false);
  const keep = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (isAsking) keep.current?.focus();
  }, [isAsking]);

  if (!isAsking) {
    return (
      <IconButton
        label={label}
        icon={icon}
        tone="danger"
        disabled={disabled}
        onClick={(event) => {
          event.stopPropagation();
          setIsAsking(true);
        }}
      />
    );
  }
  return (
    <span
      role="group"
      aria-label={`${label}?`}
      className="inline-flex gap-1"
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        setIsAsking(false);
      }}
    >
      <Button
        size="sm"
        variant="danger"
        onClick={(event) => {
          event.stopPropagation();
          setIsAsking(false);
          onConfirm();
        }}
      >
        {confirmLabel}
      </Button>
      <Button
        size="sm"
        ref={keep}
        onClick={(event) => {
          event.stopPropagation();
          setIsAsking(false);
        }}
      >
        Keep
      </Button>
    </span>
  );
}
