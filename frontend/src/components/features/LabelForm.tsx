import { Tags } from 'lucide-react';
import { useState } from 'react';
import { Button } from '@/components/common/Button';
import { ErrorBox } from '@/components/common/ErrorBox';
import { Input } from '@/components/common/Input';
import { NumberInput } from '@/components/common/NumberInput';
import { Select } from '@/components/common/Select';
import { Skeleton } from '@/components/common/Skeleton';
import { useAction } from '@/hooks/useAction';
import { useLastSucceeded, useLatestJob } from '@/hooks/useJobs';
import { useRequest } from '@/hooks/useRequest';
import { featureService } from '@/services/featureService';
import { useJobStore } from '@/stores/jobStore';
import type { LabelWriter } from '@/types/feature.types';
import { formatInteger } from '@/utils/format';
import { isLiveJob } from '@/utils/jobs';
import { UNREADABLE } from '@/utils/validation';

const DEFAULT_FEATURES = 100;
const MOST_FEATURES = 10_000;

interface LabelFormProps {
  trainingId: string;
  onStarted: () => void;
}

/** Lets a language model of this machine write labels; nobody else is asked. */
export function LabelForm({ trainingId, onStarted }: LabelFormProps) {
  const writers = useRequest('label writers', featureService.labelWriters);
  if (writers.error) return <ErrorBox problem={writers.error} />;
  if (!writers.data) return <Skeleton className="h-20" />;
  if (writers.data.length === 0) {
    return (
      <p className="text-sm text-slate-400">
        Nothing here could write them. Import a model that was trained to answer (with a chat
        template), or name a server on this machine in MISTUDIO_LABEL_ENDPOINT.
      </p>
    );
  }
  return <Writers writers={writers.data} {...{ trainingId, onStarted }} />;
}

/** How many of those that were asked about got a label; a small model often answers with none. */
function LabelVerdict({ trainingId }: { trainingId: string }) {
  const result = useLastSucceeded('feature_label', trainingId)?.result;
  const { n_asked: asked, n_written: written, model } = result ?? {};
  if (typeof asked !== 'number' || typeof written !== 'number') return null;
  return (
    <p className="text-sm text-slate-400">
      Last time {String(model)} was asked about {formatInteger(asked)} and labelled{' '}
      {formatInteger(written)}; the others keep what they had.
    </p>
  );
}

function countError(n: number | null): string | undefined {
  if (n === null) return 'Type a number';
  if (Number.isNaN(n)) return UNREADABLE;
  if (!Number.isInteger(n)) return 'Whole numbers only';
  if (n < 1 || n > MOST_FEATURES) return '1 to 10,000';
  return undefined;
}

function Writers(props: LabelFormProps & { writers: readonly LabelWriter[] }) {
  const { writers, trainingId, onStarted } = props;
  const [chosen, setChosen] = useState('0');
  const [served, setServed] = useState('');
  const [limit, setLimit] = useState<number | null>(DEFAULT_FEATURES);
  const job = useLatestJob('feature_label', trainingId);
  const writer = writers[Number(chosen)] ?? writers[0];
  const isServer = writer?.kind === 'endpoint';
  const wrong = countError(limit);
  const { run, isBusy, error } = useAction(async () => {
    await featureService.writeLabels({
      training_id: trainingId,
      limit: limit ?? DEFAULT_FEATURES,
      ...(isServer ? { endpoint_model: served.trim() } : { model_id: writer?.model_id ?? null }),
    });
    await useJobStore.getState().fetch();
    onStarted();
  });
  return (
    <>
      <Select
        label="Written by"
        hint="Of this machine; names that you gave stay"
        value={chosen}
        onChange={setChosen}
        options={writers.map(({ name }, place) => ({ value: String(place), label: name }))}
      />
      {isServer && (
        <Input
          label="Model of the server"
          mono
          value={served}
          onChange={setServed}
          maxLength={200}
          error={error?.fieldErrors.endpoint_model}
        />
      )}
      <NumberInput
        label="Features, those that fire most first"
        value={limit}
        onChange={setLimit}
        error={wrong ?? error?.fieldErrors.limit}
      />
      <LabelVerdict trainingId={trainingId} />
      {error && <ErrorBox problem={error} />}
      <Button
        size="sm"
        icon={Tags}
        busy={isBusy}
        disabled={isBusy || isLiveJob(job) || !!wrong || (isServer && !served.trim())}
        onClick={() => void run()}
      >
        Write Labels
      </Button>
    </>
  );
}
