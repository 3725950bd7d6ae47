import { Zap } from 'lucide-react';
import { useRef, useState } from 'react';
import { Button } from '@/components/common/Button';
import { ErrorBox } from '@/components/common/ErrorBox';
import { Kbd } from '@/components/common/Kbd';
import { Modal } from '@/components/common/Modal';
import { Tabs } from '@/components/common/Tabs';
import { useFeature } from '@/hooks/useFeatures';
import { useKeys } from '@/hooks/useKeys';
import type { FeaturePatch, FeatureRow } from '@/types/feature.types';
import { DetailActions } from './DetailActions';
import { DetailBody } from './DetailBody';
import { DetailHead, type EditedField } from './DetailHead';
import { DETAIL_TABS, type DetailTab } from './detailTabs';
import { DetailTiles } from './DetailTiles';

interface FeatureDetailModalProps {
  id: number;
  trainingId: string;
  tab: DetailTab;
  onTab: (tab: DetailTab) => void;
  datasetName: string | null;
  /** The features before and after it in the table; null at its ends. */
  previousId: number | null;
  nextId: number | null;
  /** Goes along the table. */
  onStep: (id: number) => void;
  /** Follows a link to another feature. */
  onOpen: (id: number) => void;
  onClose: () => void;
  onSave: (row: FeatureRow, changes: FeaturePatch) => void;
  onFavourite: (row: FeatureRow) => void;
  onSteer: (row: FeatureRow) => void;
  isCompared: boolean;
  onCompare: (row: FeatureRow) => void;
}

/** Everything known of one feature. */
export function FeatureDetailModal(props: FeatureDetailModalProps) {
  const { id, trainingId, tab, onTab, datasetName, previousId, nextId } = props;
  const feature = useFeature(id);
  const { row, problem, refetch } = feature;
  const [editing, setEditing] = useState<EditedField | null>(null);
  const textRef = useRef<HTMLTextAreaElement>(null);
  const step = (target: number | null) => {
    setEditing(null);
    if (target !== null) props.onStep(target);
  };
  const tryText = () => {
    onTab('text');
    // The field is there once the tab is.
    requestAnimationFrame(() => textRef.current?.focus());
  };
  const withRow = (act: (row: FeatureRow) => void) => () => {
    if (row) act(row);
  };
  useKeys({
    j: () => step(nextId),
    k: () => step(previousId),
    ']': () => step(nextId),
    '[': () => step(previousId),
    e: () => setEditing('name'),
    t: tryText,
    f: withRow(props.onFavourite),
    s: withRow(props.onSteer),
    c: withRow(props.onCompare),
  });

  return (
    <Modal
      size="6xl"
      title={row ? `Feature #${row.neuron_index}` : 'Feature'}
      subtitle={
        row && (
          <DetailHead row={row} editing={editing} onEditing={setEditing} onSave={props.onSave} />
        )
      }
      onClose={props.onClose}
      actions={
        <DetailActions
          {...{ row, previousId, nextId }}
          isCompared={props.isCompared}
          onOpen={step}
          onCompare={props.onCompare}
          onFavourite={props.onFavourite}
        />
      }
      tabs={<Tabs label="Feature" tabs={DETAIL_TABS} active={tab} onChange={onTab} />}
      footer={<Footer canSteer={row !== null} onSteer={withRow(props.onSteer)} />}
    >
      <div className="min-h-[50vh] space-y-6">
        {problem && !row ? (
          <ErrorBox problem={problem} action={{ label: 'Try again', onClick: refetch }} />
        ) : (
          <>
            <DetailTiles row={row} detail={feature.value} />
            <DetailBody
              key={id}
              {...{ id, tab, feature, trainingId, datasetName, textRef }}
              onOpen={props.onOpen}
            />
          </>
        )}
      </div>
    </Modal>
  );
}

function Footer({ canSteer, onSteer }: { canSteer: boolean; onSteer: () => void }) {
  return (
    <div className="flex items-center justify-between gap-4">
      <p className="text-xs text-slate-400">
        <Kbd>j</Kbd> <Kbd>k</Kbd> next, previous · <Kbd>e</Kbd> label · <Kbd>t</Kbd> your text ·{' '}
        <Kbd>f</Kbd> favourite · <Kbd>c</Kbd> compare · <Kbd>s</Kbd> steer · <Kbd>Esc</Kbd> close
      </p>
      <Button variant="primary" icon={Zap} disabled={!canSteer} onClick={onSteer}>
        Steer with this feature
      </Button>
    </div>
  );
}
