import { Square, TriangleAlert, Zap } from 'lucide-react';
import { Button } from '@/components/common/Button';
import { EmptyState } from '@/components/common/EmptyState';
import { ErrorBox } from '@/components/common/ErrorBox';
import { useSteeringStore } from '@/stores/steeringStore';
import { ComparativeGeneration } from './ComparativeGeneration';
import { ExportMenu } from './ExportMenu';
import { PromptTokens } from './PromptTokens';
import { ReplayButton } from './ReplayButton';
import { ResolvedStrengths } from './ResolvedStrengths';
import { SteeringMetrics } from './SteeringMetrics';

interface GenerateButtonProps {
  /** What keeps a comparison from being generated; null when ready. */
  reason: string | null;
  onSubmit: () => void;
}

/** Generates, or stops what is being generated; says why it cannot. */
export function GenerateButton({ reason, onSubmit }: GenerateButtonProps) {
  const { run, cancel } = useSteeringStore();
  return (
    <>
      {run.state === 'running' ? (
        <Button
          variant="danger"
          size="lg"
          block
          icon={Square}
          busy={run.isStopping}
          onClick={cancel}
        >
          {run.isStopping ? 'Stopping…' : 'Stop'}
        </Button>
      ) : (
        <Button
          variant="primary"
          size="lg"
          block
          icon={Zap}
          disabled={reason !== null}
          aria-describedby="steering-reason"
          onClick={onSubmit}
        >
          Generate Comparison
        </Button>
      )}
      <p id="steering-reason" className="min-h-5 text-center text-sm text-slate-400">
        {reason ?? 'Ctrl+Enter in the prompt generates too.'}
      </p>
      {run.problem && (
        <ErrorBox problem={run.problem} action={{ label: 'Try again', onClick: onSubmit }} />
      )}
    </>
  );
}

/** Both texts with all that was measured of them. */
export function CompareView() {
  const run = useSteeringStore((state) => state.run);
  const { result } = run;
  if (run.state === 'failed') return null;
  if (run.state === 'idle') {
    return (
      <EmptyState
        icon={Zap}
        title="Nothing generated yet"
        hint="Both texts use the same seed, so what differs comes from the features."
      />
    );
  }
  return (
    <>
      <ComparativeGeneration run={run} />
      {result?.warnings.map((warning) => (
        <Warning key={warning}>{warning}</Warning>
      ))}
      {result && (
        <>
          <SteeringMetrics result={result} />
          <ResolvedStrengths features={result.features} />
          <PromptTokens tokens={result.prompt_tokens} />
          <div className="flex flex-wrap items-start justify-between gap-4">
            <div className="space-y-1 text-xs text-slate-400">
              <p>
                {result.environment.model}, {result.environment.dtype} on{' '}
                {result.environment.device}; {result.environment.sampler}
              </p>
              {result.notes?.map((note) => (
                <p key={note}>{note}</p>
              ))}
            </div>
            <div className="flex items-start gap-2">
              <ReplayButton key={result.job_id} runId={result.job_id} />
              <ExportMenu runId={result.job_id} />
            </div>
          </div>
        </>
      )}
    </>
  );
}

function Warning({ children }: { children: string }) {
  return (
    <p className="flex gap-2 rounded-lg border border-yellow-500/30 bg-yellow-500/10 p-3 text-sm text-yellow-200">
      <TriangleAlert className="mt-0.5 size-4 shrink-0" aria-hidden />
      {children}
    </p>
  );
}
