import { Download } from 'lucide-react';
import { Button } from '@/components/common/Button';
import type { SaeExport } from '@/hooks/useExport';
import { formatInteger } from '@/utils/format';

interface ExportButtonProps {
  exporting: SaeExport;
  /** Of one checkpoint in a list; without it the latest is meant. */
  step?: number;
}

/** Fetches a checkpoint; whoever shows the button shows `exporting.problem` beside it. */
export function ExportButton({ exporting, step }: ExportButtonProps) {
  const isOne = step !== undefined;
  const isBusy = exporting.isPreparing(step);
  const label = isOne ? 'Export' : 'Export SAELens';
  return (
    <Button
      size={isOne ? 'sm' : 'md'}
      variant={isOne ? 'ghost' : 'secondary'}
      icon={Download}
      busy={isBusy}
      disabled={exporting.isBusy}
      aria-label={isOne ? `Export step ${formatInteger(step)}` : undefined}
      title="A SAELens folder in a zip archive; before the first download it is compared with the checkpoint on real activations"
      onClick={() => exporting.start(step)}
    >
      {isBusy ? 'Comparing…' : label}
    </Button>
  );
}
