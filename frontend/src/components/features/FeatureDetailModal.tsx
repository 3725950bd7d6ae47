import { ChevronLeft, ChevronRight, GitCompare, Star, Zap } from 'lucide-react';
import { useState } from 'react';
import { Button } from '@/components/common/Button';
import { ErrorBox } from '@/components/common/ErrorBox';
import { IconButton } from '@/components/common/IconButton';
import { Kbd } from '@/components/common/Kbd';
import { Modal } from '@/components/common/Modal';
import { Tabs } from '@/components/common/Tabs';
import { useFeature } from '@/hooks/useFeatures';
import { useKeys } from '@/hooks/useKeys';
import type { FeatureRow } from '@/types/feature.types';
import { DetailTiles } from './DetailTiles';
import { EditableText } from './EditableText';
import { FeatureExamples } from './FeatureExamples';
import { FeatureStatistics } from './FeatureStatistics';
import { LogitLensView } from './LogitLensView';

export const DETAIL_TABS = [
  { id: 'examples', label: 'Examples' },
  { id: 'lens', label: 'Logit Lens' },
  { id: 'statistics', label: 'Statistics' },
] as const;

export type DetailTab = (typeof DETAIL_TABS)[number]['id'];

interface FeatureDetailModalProps {
  id: number;
  tab: DetailTab;
  onTab: (tab: DetailTab) => void;
  datasetName: string | null;
  /** The features before and after it in the table; null at its ends. */
  previousId: number | null;
  nextId: number | null;
  onOpen: (id: number) => void;
  onClose: () => void;
  onSave: (row: FeatureRow, changes: { name?: string | null; description?: string | null }) => void;
  onFavourite: (row: FeatureRow) => void;
  onSteer: (row: FeatureRow) => void;
  isCompared: boolean;
  onCompare: (row: FeatureRow) => void;
}

/** Everything known of one feature. */
export function FeatureDetailModal(props: FeatureDetailModalProps) {
  const { id, tab, onTab, datasetName, previousId, nextId, onOpen, onClose, onSave } = props;
  const feature = useFeature(id);
  const { row, problem, refetch } = feature;
  const [editing, setEditing] = useState<'name' | 'description' | null>(null);
  const open = (target: number | null) => {
    setEditing(null);
    if (target !== null) onOpen(target);
  };
  useKeys({
    j: () => open(nextId),
    k: () => open(previousId),
    ']': () => open(nextId),
    '[': () => open(previousId),
    e: () => setEditing('name'),
    f: () => row && props.onFavourite(row),
    s: () => row && props.onSteer(row),
    c: () => row && props.onCompare(row),
  });

  return (
    <Modal
      size="6xl"
      title={row ? `Feature #${row.neuron_index}` : 'Feature'}
      subtitle={
        row && (
          <div className="space-y-1">
            <EditableText
              key={`name-${id}`}
              label="label"
              value={row.name}
              placeholder="No label yet"
              maxLength={255}
              isEditing={editing === 'name'}
              onEditing={(isOn) => setEditing(isOn ? 'name' : null)}
              onSave={(name) => onSave(row, { name })}
              className="text-base text-slate-100"
            />
            <EditableText
              key={`description-${id}`}
              label="description"
              value={row.description}
              placeholder="Add a description"
              maxLength={10_000}
              multiline
              isEditing={editing === 'description'}
              onEditing={(isOn) => setEditing(isOn ? 'description' : null)}
              onSave={(description) => onSave(row, { description })}
            />
          </div>
        )
      }
      onClose={onClose}
      actions={
        <>
          <IconButton
            label="Previous feature (k)"
            icon={ChevronLeft}
            disabled={previousId === null}
            onClick={() => open(previousId)}
          />
          <IconButton
            label="Next feature (j)"
            icon={ChevronRight}
            disabled={nextId === null}
            onClick={() => open(nextId)}
          />
          {row && (
            <IconButton
              label={props.isCompared ? 'Take out of the compare tray (c)' : 'Compare (c)'}
              aria-pressed={props.isCompared}
              icon={GitCompare}
              tone={props.isCompared ? 'emerald' : 'neutral'}
              onClick={() => props.onCompare(row)}
            />
          )}
          {row && (
            <IconButton
              label="Favourite (f)"
              aria-pressed={row.is_favorite}
              icon={Star}
              tone={row.is_favorite ? 'yellow' : 'neutral'}
              iconClassName={row.is_favorite ? 'fill-current' : ''}
              onClick={() => props.onFavourite(row)}
            />
          )}
        </>
      }
      tabs={<Tabs label="Feature" tabs={DETAIL_TABS} active={tab} onChange={onTab} />}
      footer={
        <div className="flex items-center justify-between gap-4">
          <p className="text-xs text-slate-400">
            <Kbd>j</Kbd> <Kbd>k</Kbd> next, previous · <Kbd>e</Kbd> label · <Kbd>f</Kbd> favourite ·{' '}
            <Kbd>c</Kbd> compare · <Kbd>s</Kbd> steer · <Kbd>Esc</Kbd> close
          </p>
          <Button
            variant="primary"
            icon={Zap}
            disabled={!row}
            onClick={() => row && props.onSteer(row)}
          >
            Steer with this feature
          </Button>
        </div>
      }
    >
      <div className="min-h-[50vh] space-y-6">
        {problem && !row ? (
          <ErrorBox problem={problem} action={{ label: 'Try again', onClick: refetch }} />
        ) : (
          <>
            <DetailTiles row={row} detail={feature.value} />
            {tab === 'examples' && <FeatureExamples featureId={id} datasetName={datasetName} />}
            {tab === 'lens' && <LogitLensView featureId={id} />}
            {tab === 'statistics' && <FeatureStatistics feature={feature} />}
          </>
        )}
      </div>
    </Modal>
  );
}
