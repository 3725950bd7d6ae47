import { Card } from '@/components/common/Card';
import { Segmented } from '@/components/common/Segmented';
import { useUrlChoice } from '@/hooks/useUrlState';
import { ModelDownloader } from './ModelDownloader';
import { ModelImporter } from './ModelImporter';

const SOURCES = [
  { value: 'hub', label: 'Hugging Face' },
  { value: 'path', label: 'Folder or GGUF on this machine' },
] as const;

type Source = (typeof SOURCES)[number]['value'];

/** The card above the list: two ways to bring a model in. */
export function AddModel() {
  const [source, setSource] = useUrlChoice<Source>('add_model', ['hub', 'path']);
  return (
    <Card label="Add a model">
      <div className="mb-6">
        <Segmented
          label="Source of the model"
          options={SOURCES}
          value={source}
          onChange={setSource}
        />
      </div>
      {source === 'hub' ? <ModelDownloader /> : <ModelImporter />}
    </Card>
  );
}
