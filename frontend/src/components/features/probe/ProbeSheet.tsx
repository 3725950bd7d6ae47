import { FlaskConical } from 'lucide-react';
import { Button } from '@/components/common/Button';
import { ErrorBox } from '@/components/common/ErrorBox';
import { TextArea } from '@/components/common/Input';
import { InfoNote } from '@/components/common/InfoNote';
import { JobProgress } from '@/components/common/JobProgress';
import { useDraft } from '@/hooks/useDraft';
import { useLiveJobOf } from '@/hooks/useJobs';
import { useLongRequest } from '@/hooks/useLongRequest';
import { featureService } from '@/services/featureService';
import { WAITING_JOB } from '@/utils/jobs';
import { ClassTable } from './ClassTable';
import { readSheet, SHEET_EXAMPLE } from './probeSheet';
import type { ProbeProps } from './probeProps';

const LISTED = 10;

/** Lines with the class that each belongs to, and how well features tell the classes apart. */
export function ProbeSheet({ trainingId, featureId, onOpen, textRef }: ProbeProps) {
  const [text, setText] = useDraft('psheet');
  const sheet = readSheet(text);
  const probe = useLongRequest((signal) =>
    featureService.probe(
      {
        training_id: trainingId,
        lines: sheet.lines,
        top_k: featureId === undefined ? LISTED : 1,
        feature_ids: featureId === undefined ? [] : [featureId],
      },
      signal,
    ),
  );
  const job = useLiveJobOf('feature_probe');
  const hasText = text.trim() !== '';
  const run = () => {
    if (sheet.problem === null) probe.run();
  };

  return (
    <div className="space-y-4">
      <TextArea
        ref={textRef}
        label="Probe sheet"
        hint="A line per text, its class before the bar. Ctrl Enter tries it."
        {...(hasText && sheet.problem ? { error: sheet.problem } : {})}
        rows={7}
        placeholder={SHEET_EXAMPLE}
        value={text}
        onChange={setText}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) run();
        }}
      />
      <div className="flex gap-3">
        <Button
          variant="primary"
          icon={FlaskConical}
          busy={probe.isBusy}
          disabled={probe.isBusy || sheet.problem !== null}
          onClick={run}
        >
          Try {sheet.lines.length > 1 ? `${sheet.lines.length} Lines` : 'the Sheet'}
        </Button>
        {!hasText && (
          <Button variant="ghost" onClick={() => setText(SHEET_EXAMPLE)}>
            Fill in an example
          </Button>
        )}
      </div>
      {probe.isBusy && (
        <JobProgress label="Reading the lines…" job={job ?? WAITING_JOB} onCancel={probe.cancel} />
      )}
      {probe.error && (
        <ErrorBox problem={probe.error} action={{ label: 'Try again', onClick: run }} />
      )}
      {probe.data && (
        <div className="space-y-6">
          {probe.data.classes.map((scores) => (
            <ClassTable
              key={scores.expected}
              scores={scores}
              featureId={featureId}
              onOpen={onOpen}
            />
          ))}
          <InfoNote>{probe.data.definition}</InfoNote>
        </div>
      )}
    </div>
  );
}
