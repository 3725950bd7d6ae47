import { Modal } from '@/components/common/Modal';
import { Tabs } from '@/components/common/Tabs';
import { useUrlState } from '@/hooks/useUrlState';
import type { Dataset } from '@/types/dataset.types';
import { formatBytes, formatInteger } from '@/utils/format';
import { navigate } from '@/utils/urlState';
import { DatasetOverview } from './DatasetOverview';
import { DatasetSamples } from './DatasetSamples';
import { DatasetStatistics } from './DatasetStatistics';
import { DatasetTokenization } from './DatasetTokenization';

const TABS = [
  { id: 'overview', label: 'Overview', Content: DatasetOverview },
  { id: 'samples', label: 'Samples', Content: DatasetSamples },
  { id: 'tokenization', label: 'Tokenization', Content: DatasetTokenization },
  { id: 'statistics', label: 'Statistics', Content: DatasetStatistics },
] as const;

interface DatasetDetailModalProps {
  dataset: Dataset;
}

/** One dataset in four views; the open view is in the URL. */
export function DatasetDetailModal({ dataset }: DatasetDetailModalProps) {
  const [view, setView] = useUrlState('view', 'replace');
  const active = TABS.find(({ id }) => id === view) ?? TABS[0];
  const { Content } = active;

  const handleClose = () => {
    navigate({ dataset: null, view: null, sq: null, spage: null });
  };

  return (
    <Modal
      size="6xl"
      title={dataset.name}
      subtitle={`${formatBytes(dataset.size_bytes)} · ${formatInteger(dataset.n_documents)} documents`}
      onClose={handleClose}
      tabs={<Tabs label="Dataset views" tabs={TABS} active={active.id} onChange={setView} />}
    >
      <div className="min-h-[55vh]">
        <Content key={dataset.id} dataset={dataset} />
      </div>
    </Modal>
  );
}
