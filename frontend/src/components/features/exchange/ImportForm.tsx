import { Upload } from 'lucide-react';
import { useState } from 'react';
import { Button } from '@/components/common/Button';
import { Dropzone } from '@/components/common/Dropzone';
import { ErrorBox } from '@/components/common/ErrorBox';
import { ProgressBar } from '@/components/common/ProgressBar';
import { Toggle } from '@/components/common/Toggle';
import { useAction } from '@/hooks/useAction';
import { featureExchange } from '@/services/featureExchange';
import { useJobStore } from '@/stores/jobStore';
import { toast } from '@/stores/uiStore';

interface ImportFormProps {
  trainingId: string;
  onDone: () => void;
}

/** Sends an archive; a job then reads it into the training's features. */
export function ImportForm({ trainingId, onDone }: ImportFormProps) {
  const [file, setFile] = useState<File | null>(null);
  const [isAny, setIsAny] = useState(false);
  const [sent, setSent] = useState<number | null>(null);
  const upload = useAction(async (chosen: File) => {
    setSent(0);
    try {
      await featureExchange.upload(trainingId, chosen, isAny, setSent);
    } finally {
      setSent(null);
    }
    await useJobStore.getState().fetch();
    toast('success', `${chosen.name} is being imported; see Jobs for its progress.`);
    onDone();
  });
  return (
    <div className="space-y-4">
      <Dropzone
        label="Choose an archive"
        hint="Parquet bundle, Neuronpedia folder or SAEDashboard batches, as .zip"
        accept=".zip,.json"
        file={file}
        onFile={setFile}
      />
      <Toggle
        label="Even of another dictionary"
        help="Otherwise an archive measured on a dictionary with other directions is refused."
        checked={isAny}
        onChange={setIsAny}
      />
      {sent !== null && <ProgressBar label="Upload" value={sent} tone="purple" />}
      {upload.error && <ErrorBox problem={upload.error} />}
      <Button
        variant="purple"
        icon={Upload}
        block
        busy={upload.isBusy}
        disabled={!file || upload.isBusy}
        onClick={() => file && void upload.run(file)}
      >
        Import
      </Button>
    </div>
  );
}
