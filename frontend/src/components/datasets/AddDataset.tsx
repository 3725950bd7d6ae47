import { Card } from '@/components/common/Card';
import { Segmented } from '@/components/common/Segmented';
import { useUrlChoice } from '@/hooks/useUrlState';
import { BuiltinImporter } from './BuiltinImporter';
import { DatasetUploader } from './DatasetUploader';
import { HuggingFaceDownloader } from './HuggingFaceDownloader';
import { PathImporter } from './PathImporter';

const SOURCES = [
  { value: 'hub', label: 'Hugging Face', Form: HuggingFaceDownloader },
  { value: 'upload', label: 'Upload', Form: DatasetUploader },
  { value: 'path', label: 'Path on this machine', Form: PathImporter },
  { value: 'builtin', label: 'Built-in corpus', Form: BuiltinImporter },
] as const;

type Source = (typeof SOURCES)[number]['value'];

/** The card above the list: four ways to bring text in. */
export function AddDataset() {
  const [source, setSource] = useUrlChoice<Source>('add', ['hub', 'upload', 'path', 'builtin']);
  const Form = SOURCES.find(({ value }) => value === source)?.Form ?? HuggingFaceDownloader;
  return (
    <Card label="Add a dataset">
      <div className="mb-6">
        <Segmented
          label="Source of the text"
          options={SOURCES}
          value={source}
          onChange={setSource}
        />
      </div>
      <Form />
    </Card>
  );
}
