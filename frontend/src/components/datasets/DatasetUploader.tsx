import { Upload } from 'lucide-react';
import { type SubmitEvent, useState } from 'react';
import { SubmitButton } from '@/components/common/SubmitButton';
import { Dropzone } from '@/components/common/Dropzone';
import { ErrorBox } from '@/components/common/ErrorBox';
import { Input } from '@/components/common/Input';
import { ProgressBar } from '@/components/common/ProgressBar';
import { datasetService } from '@/services/datasetService';
import { nameFromPath } from '@/utils/validation';
import { useAddDataset } from './useAddDataset';

const ACCEPT = '.txt,.md,.jsonl,.json,.csv,.parquet,.gz';

/** Uploads one text file from the browser. */
export function DatasetUploader() {
  const [file, setFile] = useState<File | null>(null);
  const [name, setName] = useState('');
  const [percent, setPercent] = useState(0);
  const { run, isBusy, error, clear } = useAddDataset(datasetService.upload);

  const handleFile = (next: File) => {
    clear();
    setPercent(0);
    setFile(next);
    setName(nameFromPath(next.name));
  };

  const handleSubmit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (!file) return;
    const isSent = await run(file, name.trim() || nameFromPath(file.name), setPercent);
    if (isSent) setFile(null);
  };

  return (
    <form onSubmit={(event) => void handleSubmit(event)} className="space-y-4">
      <Dropzone
        label="Choose a text file"
        hint="or drop it here: .txt .md .jsonl .json .csv .parquet, also .gz"
        accept={ACCEPT}
        file={file}
        onFile={handleFile}
      />
      {file && (
        <Input label="Name" value={name} onChange={setName} error={error?.fieldErrors.name} />
      )}
      {isBusy && <ProgressBar label="Upload" value={percent} tone="blue" />}
      {error && <ErrorBox problem={error} />}
      <SubmitButton icon={Upload} busy={isBusy} disabled={isBusy || !file}>
        Upload and Import
      </SubmitButton>
    </form>
  );
}
