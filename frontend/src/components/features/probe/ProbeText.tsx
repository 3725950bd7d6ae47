import { Type } from 'lucide-react';
import { EmptyState } from '@/components/common/EmptyState';
import { ErrorBox } from '@/components/common/ErrorBox';
import { TextArea } from '@/components/common/Input';
import { Skeleton } from '@/components/common/Skeleton';
import { useDraft } from '@/hooks/useDraft';
import { useRequest } from '@/hooks/useRequest';
import { featureService } from '@/services/featureService';
import { ProbeFirings } from './ProbeFirings';
import type { ProbeProps } from './probeProps';

const MOST_CHARACTERS = 20_000;
const LISTED = 50;

/** A text, and while it is typed the features that fire on it and where. */
export function ProbeText({ trainingId, featureId, onOpen, textRef }: ProbeProps) {
  const [text, setText, rested] = useDraft('ptext');
  const asked = rested.trim();
  const key = asked === '' ? null : `${trainingId} ${featureId ?? ''} ${asked}`;
  const { data, error, isLoading, again } = useRequest(key, (signal) =>
    featureService.probe(
      {
        training_id: trainingId,
        text: asked,
        top_k: featureId === undefined ? LISTED : 1,
        feature_ids: featureId === undefined ? [] : [featureId],
      },
      signal,
    ),
  );

  return (
    <div className="space-y-4">
      <TextArea
        ref={textRef}
        label="Your text"
        hint="The model reads it as you type; the first time it has to be loaded."
        rows={3}
        maxLength={MOST_CHARACTERS}
        placeholder="Type or paste a text"
        value={text}
        onChange={setText}
      />
      {error && <ErrorBox problem={error} action={{ label: 'Try again', onClick: again }} />}
      {asked === '' && (
        <EmptyState
          icon={Type}
          title="No text yet"
          hint={
            featureId === undefined
              ? 'Type a text to see which features fire on it, and on which of its tokens.'
              : 'Type a text to see on which of its tokens this feature fires.'
          }
        />
      )}
      {asked !== '' && !data && !error && <Skeleton className="h-64" />}
      {asked !== '' && data && (
        <div aria-busy={isLoading} className="space-y-2">
          <p role="status" className="h-5 text-sm text-slate-400">
            {isLoading && 'Reading the new text…'}
          </p>
          <ProbeFirings key={data.job_id} result={data} featureId={featureId} onOpen={onOpen} />
        </div>
      )}
    </div>
  );
}
