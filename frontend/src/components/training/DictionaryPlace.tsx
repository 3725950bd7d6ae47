import { Disclosure } from '@/components/common/Disclosure';
import { NumberInput } from '@/components/common/NumberInput';
import { Select } from '@/components/common/Select';
import { Toggle } from '@/components/common/Toggle';
import { hookName } from '@/utils/hookNames';
import { type DictionaryDraft, HOOK_TYPES } from './dictionaryDraft';

interface DictionaryPlaceProps {
  draft: DictionaryDraft;
  onChange: (changes: Partial<DictionaryDraft>) => void;
  errors: Readonly<Record<string, string>>;
}

/** What a dictionary's files may leave open, and whether it is measured afterwards. */
export function DictionaryPlace({ draft, onChange, errors }: DictionaryPlaceProps) {
  return (
    <Disclosure title="Where it belongs, if its files do not say">
      <div className="grid gap-4 sm:grid-cols-2">
        <NumberInput
          label="Layer"
          placeholder="as its files say"
          hint="The first block is 0"
          value={draft.layer}
          onChange={(layer) => onChange({ layer })}
          error={errors.layer}
        />
        <Select
          label="Place"
          placeholder="As its files say"
          value={draft.hookType}
          onChange={(value) =>
            onChange({ hookType: HOOK_TYPES.find((type) => type === value) ?? '' })
          }
          options={HOOK_TYPES.map((type) => ({ value: type, label: hookName(type) }))}
          error={errors.hook_type}
        />
        <Toggle
          label="Measure on held-out documents"
          help="After the import, where stored activations of its place hold held-out documents."
          checked={draft.evaluate}
          onChange={(evaluate) => onChange({ evaluate })}
        />
      </div>
    </Disclosure>
  );
}
