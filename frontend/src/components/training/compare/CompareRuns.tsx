import { Modal } from '@/components/common/Modal';
import type { ComparedRun } from './comparedRuns';
import { FigureComparison } from './FigureComparison';
import { RunCurves } from './RunCurves';
import { RunKey } from './RunKey';
import { SettingDifferences } from './SettingDifferences';

interface CompareRunsProps {
  runs: readonly ComparedRun[];
  onClose: () => void;
}

/** Several trainings over each other: what they do differently, their curves, their figures. */
export function CompareRuns({ runs, onClose }: CompareRunsProps) {
  return (
    <Modal size="6xl" title="Compare runs" onClose={onClose}>
      <div className="space-y-8">
        <RunKey runs={runs} />
        <RunCurves runs={runs} />
        <FigureComparison runs={runs} />
        <SettingDifferences runs={runs} />
      </div>
    </Modal>
  );
}
