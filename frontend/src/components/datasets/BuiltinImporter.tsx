import { BookOpen } from 'lucide-react';
import { type SubmitEvent, useState } from 'react';
import { SubmitButton } from '@/components/common/SubmitButton';
import { ErrorBox } from '@/components/common/ErrorBox';
import { NumberInput } from '@/components/common/NumberInput';
import { datasetService } from '@/services/datasetService';
import { fields } from '@/services/generated/fields';
import { specError } from '@/utils/validation';
import { useAddDataset } from './useAddDataset';

const CORPUS = 'python-docs';

/** Imports the corpus that every installation has: the documentation of its Python packages. */
export function BuiltinImporter() {
  const [maxDocuments, setMaxDocuments] = useState<number | null>(null);
  const { run, isBusy, error } = useAddDataset(datasetService.importLocal);

  const countError = specError(fields.DatasetImport.max_documents, maxDocuments);

  const handleSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    void run({ builtin: CORPUS, name: CORPUS, max_documents: maxDocuments });
  };

  return (
    <form onSubmit={handleSubmit} className="space-y-4">
      <p className="text-sm text-slate-300">
        The documentation strings and manuals of the Python packages that are installed on this
        machine, one document per module. Nothing is downloaded.
      </p>
      <NumberInput
        label="Documents at most (optional)"
        placeholder="all"
        value={maxDocuments}
        onChange={setMaxDocuments}
        hint="A few hundred are enough for a first look"
        error={countError ?? error?.fieldErrors.max_documents}
      />
      {error && <ErrorBox problem={error} />}
      <SubmitButton icon={BookOpen} busy={isBusy} disabled={isBusy || countError !== undefined}>
        Import python-docs
      </SubmitButton>
    </form>
  );
}
