import { AlertTriangle, CheckCircle, Info, X } from 'lucide-react';
import { useEffect, useEffectEvent } from 'react';
import { classNames } from '@/utils/classNames';
import { Button } from './Button';
import { IconButton } from './IconButton';

const KINDS = {
  success: { icon: CheckCircle, color: 'text-emerald-400' },
  error: { icon: AlertTriangle, color: 'text-red-400' },
  info: { icon: Info, color: 'text-blue-400' },
};

const SHOWN_MS = 5_000;
const SHOWN_WITH_ACTION_MS = 10_000;

interface ToastProps {
  kind: keyof typeof KINDS;
  message: string;
  action?: { label: string; onClick: () => void };
  onDismiss: () => void;
}

/** A passing note at the bottom of the page; with an action it stays ten seconds. */
export function Toast({ kind, message, action, onDismiss }: ToastProps) {
  const { icon: Icon, color } = KINDS[kind];
  const dismiss = useEffectEvent(onDismiss);
  const duration = action ? SHOWN_WITH_ACTION_MS : SHOWN_MS;

  useEffect(() => {
    const timer = setTimeout(() => dismiss(), duration);
    return () => clearTimeout(timer);
  }, [duration]);

  return (
    <div className="flex w-96 max-w-full animate-fade-in items-center gap-3 rounded-lg border border-slate-700 bg-slate-800 p-3 text-sm shadow-xl">
      <Icon className={classNames('size-5 shrink-0', color)} aria-hidden />
      <p className="min-w-0 flex-1 break-words text-slate-100">{message}</p>
      {action && (
        <Button
          size="sm"
          variant="ghost"
          onClick={() => {
            action.onClick();
            onDismiss();
          }}
        >
          {action.label}
        </Button>
      )}
      <IconButton label="Dismiss" icon={X} onClick={onDismiss} />
    </div>
  );
}
