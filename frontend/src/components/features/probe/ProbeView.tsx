import type { Ref } from 'react';
import { Segmented } from '@/components/common/Segmented';
import { useUrlChoice } from '@/hooks/useUrlState';
import { ProbeSheet } from './ProbeSheet';
import { ProbeText } from './ProbeText';

const MODES = [
  { value: 'text', label: 'One text' },
  { value: 'sheet', label: 'Sheet with classes' },
] as const;

export interface ProbeProps {
  trainingId: string;
  /** Only this feature is asked about; without it, which features fire at all. */
  featureId?: number;
  onOpen: (id: number) => void;
  textRef?: Ref<HTMLTextAreaElement>;
}

/** Try features on your own words: one text while you type, or a sheet of lines with classes. */
export function ProbeView(props: ProbeProps) {
  const [mode, setMode] = useUrlChoice('pmode', ['text', 'sheet']);
  return (
    <div className="space-y-4">
      <Segmented label="What to try" options={MODES} value={mode} onChange={setMode} />
      {mode === 'text' ? <ProbeText {...props} /> : <ProbeSheet {...props} />}
    </div>
  );
}
