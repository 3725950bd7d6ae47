import { Segmented } from '@/components/common/Segmented';
import { useUrlChoice } from '@/hooks/useUrlState';
import { ProbeSheet } from './ProbeSheet';
import { ProbeText } from './ProbeText';
import type { ProbeProps } from './probeProps';

const MODES = [
  { value: 'text', label: 'One text' },
  { value: 'sheet', label: 'Sheet with classes' },
] as const;

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
