import { Download, FileUp } from 'lucide-react';
import { useRef } from 'react';
import { Button } from '@/components/common/Button';
import { ErrorBox } from '@/components/common/ErrorBox';
import { useAction } from '@/hooks/useAction';
import { templateExchange } from '@/services/templateService';
import { toast } from '@/stores/uiStore';
import { saveAsFile } from '@/utils/files';

/** All templates and presets as one dated file, out and in. */
export function TemplateExchange({ onImported }: { onImported: () => void }) {
  const input = useRef<HTMLInputElement>(null);
  const exporting = useAction(async () => {
    const bundle = await templateExchange.export();
    const day = bundle.exported_at.slice(0, 10);
    saveAsFile(`mistudio-templates-${day}.json`, JSON.stringify(bundle, null, 2));
  });
  const importing = useAction(async (file: File) => {
    const { created, replaced, skipped } = await templateExchange.import(
      readJson(await file.text()),
    );
    toast('success', `${created} imported, ${replaced} replaced, ${skipped} skipped`);
    onImported();
  });
  const error = exporting.error ?? importing.error;

  return (
    <>
      <Button
        variant="retry"
        icon={Download}
        className="py-2.5"
        busy={exporting.isBusy}
        onClick={() => void exporting.run()}
      >
        Export
      </Button>
      <Button
        variant="purple"
        icon={FileUp}
        className="py-2.5"
        busy={importing.isBusy}
        onClick={() => input.current?.click()}
      >
        Import
      </Button>
      <input
        ref={input}
        type="file"
        accept=".json,application/json"
        aria-label="Templates to import"
        hidden
        onChange={({ target }) => {
          const file = target.files?.[0];
          if (file) void importing.run(file);
          target.value = '';
        }}
      />
      {error && (
        <div className="w-full">
          <ErrorBox problem={error} />
        </div>
      )}
    </>
  );
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('This file is no JSON. Choose one that Export has written.');
  }
}
