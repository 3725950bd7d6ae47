import { Check, RotateCcw, EqualNot } from 'lucide-react';
import { useState } from 'react';
import { Button } from '@/components/common/Button';
import { ErrorBox } from '@/components/common/ErrorBox';
import { useAction } from '@/hooks/useAction';
import { runService } from '@/services/steeringService';
import type { Replay } from '@/types/steering.types';
import { formatInteger, formatSignificant } from '@/utils/format';
import { quotedToken } from '../visualizations/tokenText';

/** Generates a run again and says whether the texts are the same, token for token. */
export function ReplayButton({ runId }: { runId: string }) {
  const [found, setFound] = useState<Replay | null>(null);
  const replay = useAction(async () => {
    setFound(null);
    setFound(await runService.replay(runId));
  });
  return (
    <div className="space-y-2">
      <Button
        size="sm"
        icon={RotateCcw}
        busy={replay.isBusy}
        aria-label="Replay this run"
        onClick={() => void replay.run()}
      >
        {replay.isBusy ? 'Replaying…' : 'Replay'}
      </Button>
      <div role="status">{found && <ReplayOutcome replay={found} />}</div>
      {replay.error && <ErrorBox problem={replay.error} />}
    </div>
  );
}

function ReplayOutcome({ replay }: { replay: Replay }) {
  if (replay.identical) {
    return (
      <p className="flex items-start gap-2 text-sm text-emerald-300">
        <Check className="mt-0.5 size-4 shrink-0" aria-hidden />
        Identical, token for token
        {replay.largest_logprob_difference
          ? `; log-probabilities to ${formatSignificant(replay.largest_logprob_difference, 2)}`
          : ''}
        .
      </p>
    );
  }
  return (
    <div className="flex items-start gap-2 text-sm text-orange-300">
      <EqualNot className="mt-0.5 size-4 shrink-0" aria-hidden />
      <ul className="space-y-0.5">
        {replay.differences.map(({ branch, index, then, now }) => (
          <li key={branch}>
            Differs: the {branch} text at token {formatInteger(index + 1)}, {shown(then)} then,{' '}
            {shown(now)} now.
          </li>
        ))}
        {replay.environment_changes.map(({ name, then, now }) => (
          <li key={name} className="text-slate-300">
            {name}: {then} → {now}
          </li>
        ))}
      </ul>
    </div>
  );
}

function shown(text: string | null): string {
  return text === null ? 'nothing' : quotedToken(text);
}
