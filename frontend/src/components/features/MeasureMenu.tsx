import { Gauge, SearchCheck, type LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button } from '@/components/common/Button';
import { ErrorBox } from '@/components/common/ErrorBox';
import { JobProgress } from '@/components/common/JobProgress';
import { Popover } from '@/components/common/Popover';
import { useAction } from '@/hooks/useAction';
import { useLatestJob } from '@/hooks/useJobs';
import { featureService } from '@/services/featureService';
import { useJobStore } from '@/stores/jobStore';
import type { JobAccepted } from '@/types/api.types';
import { isLiveJob, jobProblem } from '@/utils/jobs';
import { AuditVerdict } from './AuditVerdict';
import { LabelForm } from './LabelForm';

/** What may follow a discovery, and what its progress is called. */
const JOBS = [
  { kind: 'feature_score', label: 'Measuring which features steer and which read…' },
  { kind: 'feature_audit', label: 'Recomputing examples…' },
  { kind: 'feature_label', label: 'Writing labels…' },
] as const;

type MeasureKind = (typeof JOBS)[number]['kind'];

/** More about features that are there: scores, a recomputation, labels by a language model. */
export function MeasureMenu({ trainingId }: { trainingId: string }) {
  return (
    <Popover label="Measure" icon={Gauge} className="w-96 space-y-5">
      {(close) => (
        <>
          <Part
            kind="feature_score"
            trainingId={trainingId}
            icon={Gauge}
            label="Score Features"
            start={featureService.score}
            onStarted={close}
          >
            Which features change the text when they are pushed (Steers), and which fire on what
            they promote (Reads).
          </Part>
          <Part
            kind="feature_audit"
            trainingId={trainingId}
            icon={SearchCheck}
            label="Audit Examples"
            start={featureService.audit}
            onStarted={close}
            result={<AuditVerdict trainingId={trainingId} />}
          >
            Runs the model again on 100 random examples and compares them with what is stored.
          </Part>
          <section aria-label="Write labels" className="space-y-3">
            <h4 className="text-sm font-medium text-slate-200">Labels by a language model</h4>
            <LabelForm trainingId={trainingId} onStarted={close} />
          </section>
        </>
      )}
    </Popover>
  );
}

interface PartProps {
  kind: MeasureKind;
  trainingId: string;
  icon: LucideIcon;
  label: string;
  start: (trainingId: string) => Promise<JobAccepted>;
  onStarted: () => void;
  /** What came out last. */
  result?: ReactNode;
  children: ReactNode;
}

function Part(props: PartProps) {
  const { kind, trainingId, icon, label, start, onStarted, result, children } = props;
  const job = useLatestJob(kind, trainingId);
  const { run, isBusy, error } = useAction(async () => {
    await start(trainingId);
    await useJobStore.getState().fetch();
    onStarted();
  });
  return (
    <section aria-label={label} className="space-y-2 border-b border-slate-800 pb-4">
      <p className="text-sm text-slate-400">{children}</p>
      {result}
      {error && <ErrorBox problem={error} />}
      <Button
        size="sm"
        icon={icon}
        busy={isBusy}
        disabled={isBusy || isLiveJob(job)}
        onClick={() => void run()}
      >
        {label}
      </Button>
    </section>
  );
}

/** How far they are, or why one failed. */
export function MeasureProgress({ trainingId }: { trainingId: string }) {
  return JOBS.map(({ kind, label }) => (
    <JobLine key={kind} kind={kind} label={label} trainingId={trainingId} />
  ));
}

interface JobLineProps {
  kind: MeasureKind;
  label: string;
  trainingId: string;
}

function JobLine({ kind, label, trainingId }: JobLineProps) {
  const job = useLatestJob(kind, trainingId);
  if (isLiveJob(job)) {
    return (
      <JobProgress
        label={label}
        job={job}
        onCancel={() => void useJobStore.getState().cancel(job.id)}
      />
    );
  }
  const problem = jobProblem(job);
  return problem && <ErrorBox problem={problem} />;
}
