import { useEffect, useState } from 'react';
import { useDebounced } from '@/hooks/useDebounced';
import { useSpecForm } from '@/hooks/useSpecForm';
import { fields } from '@/services/generated/fields';
import { navigate, type UrlPatch } from '@/utils/urlState';
import { fieldNames } from './hyperparameterFields';
import { draftPatch, readDraft, type TrainingDraft } from './trainingDraft';

/** The form's state: from the address at first, and after a rest in it again. */
export function useTrainingDraft() {
  const [start] = useState(() => readDraft(window.location.search));
  const form = useSpecForm(fields.Hyperparameters, fieldNames, start.values);
  const [rest, setRest] = useState<Omit<TrainingDraft, 'values'>>(start);
  const set = (change: Partial<typeof rest>) => setRest((current) => ({ ...current, ...change }));

  const patch = useDebounced(JSON.stringify(draftPatch({ ...rest, values: form.values })));
  useEffect(() => navigate(JSON.parse(patch) as UrlPatch, 'replace'), [patch]);

  return { form, ...rest, set };
}
