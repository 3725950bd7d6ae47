import { Download } from 'lucide-react';
import { ErrorBox } from '@/components/common/ErrorBox';
import { Popover } from '@/components/common/Popover';
import { useRunExport } from '@/hooks/useSteeringRuns';
import type { ExportFormat } from '@/types/steering.types';

const FORMATS: readonly { format: ExportFormat; label: string; help: string }[] = [
  { format: 'json', label: 'JSON', help: 'Everything: request, texts, figures, directions' },
  { format: 'safetensors', label: 'safetensors', help: 'The directions and what was added' },
  { format: 'gguf', label: 'GGUF', help: 'A control vector for llama.cpp' },
  { format: 'python', label: 'Python', help: 'A program that repeats the steered text' },
];

/** Saves a run for other programs. */
export function ExportMenu({ runId }: { runId: string }) {
  const save = useRunExport(runId);
  return (
    <Popover label="Export" icon={Download} className="w-80" size="sm">
      {() => (
        <div className="space-y-2">
          <ul className="space-y-1">
            {FORMATS.map(({ format, label, help }) => (
              <li key={format}>
                <button
                  type="button"
                  disabled={save.isBusy}
                  onClick={() => void save.run(format)}
                  className="w-full rounded px-3 py-2 text-left transition-colors hover:bg-slate-800"
                >
                  <span className="block text-sm font-medium text-slate-100">{label}</span>
                  <span className="block text-xs text-slate-400">{help}</span>
                </button>
              </li>
            ))}
          </ul>
          {save.error && <ErrorBox problem={save.error} />}
        </div>
      )}
    </Popover>
  );
}
