import type { Ref } from 'react';
import type { Loaded } from '@/hooks/useFeatures';
import type { Feature } from '@/types/feature.types';
import { ProbeView } from '../probe/ProbeView';
import { AblationView } from './AblationView';
import { CorrelationsView } from './CorrelationsView';
import type { DetailTab } from './detailTabs';
import { FeatureExamples } from './FeatureExamples';
import { FeatureStatistics } from './FeatureStatistics';
import { HistoryView } from './HistoryView';
import { LogitLensView } from './LogitLensView';
import { NeighboursView } from './NeighboursView';

interface DetailBodyProps {
  id: number;
  tab: DetailTab;
  feature: Loaded<Feature>;
  trainingId: string;
  datasetName: string | null;
  onOpen: (id: number) => void;
  textRef: Ref<HTMLTextAreaElement>;
}

/** What the chosen tab of an open feature shows. */
export function DetailBody(props: DetailBodyProps) {
  const { id, tab, feature, trainingId, datasetName, onOpen, textRef } = props;
  switch (tab) {
    case 'examples':
      return <FeatureExamples featureId={id} datasetName={datasetName} />;
    case 'lens':
      return <LogitLensView featureId={id} />;
    case 'correlations':
      return <CorrelationsView featureId={id} onOpen={onOpen} />;
    case 'neighbours':
      return <NeighboursView featureId={id} onOpen={onOpen} />;
    case 'ablation':
      return <AblationView featureId={id} />;
    case 'text':
      return <ProbeView trainingId={trainingId} featureId={id} onOpen={onOpen} textRef={textRef} />;
    case 'statistics':
      return <FeatureStatistics feature={feature} />;
    case 'history':
      return <HistoryView featureId={id} />;
  }
}
