import { AlertTriangle, Check, Copy } from 'lucide-react';
import type { Problem } from '@/types/api.types';
import { Button } from './Button';
import { useCopy } from './useCopy';

interface ErrorBoxProps {
  problem: Problem;
  /** The one action that helps, such as a retry. */
  action?: { label: string; onClick: () => void };
}

function describe(problem: Problem): string {
  const { message, code, details } = problem;
  return JSON.stringify({ code, message, details }, null, 2);
}

/** An error where it arose: the sentence, its code, one way on. */
export function ErrorBox({ problem, action }: ErrorBoxProps) {
  const [isCopied, copy] = useCopy();
  return (
    <div
      role="alert"
      className="flex items-start gap-3 rounded-lg border border-red-500/30 bg-red-500/10 p-3 text-sm"
    >
      <AlertTriangle className="mt-0.5 size-4 shrink-0 text-red-400" aria-hidden />
      <div className="min-w-0 flex-1">
        <p className="break-words text-red-200">{problem.message}</p>
        {problem.code && <p className="mt-0.5 font-mono text-xs text-red-300">{problem.code}</p>}
      </div>
      <div className="flex shrink-0 gap-1">
        <Button
          size="sm"
          variant="ghost"
          icon={isCopied ? Check : Copy}
          aria-label="Copy error details"
          title="Copy error details"
          onClick={() => copy(describe(problem))}
        />
        {action && (
          <Button size="sm" onClick={action.onClick}>
            {action.label}
          </Button>
        )}
      </div>
    </div>
  );
}
