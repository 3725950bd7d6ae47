import { X } from 'lucide-react';
import { useId, useState } from 'react';
import { Button } from '@/components/common/Button';
import { ErrorBox } from '@/components/common/ErrorBox';
import { ErrorNote, groupDescribedBy } from '@/components/common/Field';
import { IconButton } from '@/components/common/IconButton';
import { InfoTip } from '@/components/common/InfoTip';
import { NumberInput } from '@/components/common/NumberInput';
import { SearchInput } from '@/components/common/SearchInput';
import { useDebounced } from '@/hooks/useDebounced';
import { useFeatureSearch } from '@/hooks/useSteering';
import { type SteeringCondition, useSteeringStore } from '@/stores/steeringStore';
import type { FeatureRow } from '@/types/feature.types';
import { formatDecimal } from '@/utils/format';

const LABEL = 'Only where a feature fires';

interface ConditionFieldProps {
  condition: SteeringCondition | null;
  /** The training whose features are searched. */
  trainingId: string | null;
  /** Features that steer: the nearest choice. */
  steeredIds: readonly number[];
  placeError: string | undefined;
  thresholdError: string | undefined;
  onChange: (condition: SteeringCondition | null) => void;
}

/** Another feature decides where the edit acts: only where it is above a threshold. */
export function ConditionField(props: ConditionFieldProps) {
  const { condition, onChange } = props;
  const id = useId();
  return (
    <div
      role="group"
      aria-labelledby={id}
      {...groupDescribedBy(id, props.placeError)}
      className="space-y-2"
    >
      <span className="flex items-center gap-1.5">
        <span id={id} className="text-sm font-medium text-slate-300">
          {LABEL}
        </span>
        <InfoTip
          label={LABEL}
          text="It is read in the run itself, before the edit, at the edit’s layer or an earlier one. Where it stays at or below the threshold nothing is changed."
        />
      </span>
      {condition ? (
        <Chosen {...props} id={id} condition={condition} />
      ) : (
        <Picker {...props} onChange={onChange} />
      )}
    </div>
  );
}

type ChosenProps = ConditionFieldProps & { id: string; condition: SteeringCondition };

function Chosen({ id, condition, placeError, thresholdError, onChange }: ChosenProps) {
  const row = useSteeringStore((state) => state.known[condition.id]);
  return (
    <div className="space-y-3 rounded-lg bg-slate-800/50 p-3">
      <div className="flex items-center gap-3 text-sm">
        <span className="font-mono text-slate-400">{row ? `#${row.neuron_index}` : '…'}</span>
        <span className="min-w-0 flex-1 truncate" title={row?.name ?? undefined}>
          {row && (row.name ?? <i className="text-slate-400">No label</i>)}
        </span>
        {row && (
          <span className="shrink-0 text-xs text-slate-400 tabular-nums">
            layer {row.layer} · max {formatDecimal(row.max_activation, 1)}
          </span>
        )}
        <IconButton
          label="Remove the condition"
          icon={X}
          tone="danger"
          onClick={() => onChange(null)}
        />
      </div>
      {placeError && <ErrorNote id={id}>{placeError}</ErrorNote>}
      <NumberInput
        label="Above"
        hint="In activation units; 0 means wherever it fires at all."
        error={thresholdError}
        unit="act."
        value={condition.threshold}
        onChange={(threshold) => onChange({ ...condition, threshold })}
      />
    </div>
  );
}

function Picker({ trainingId, steeredIds, onChange }: ConditionFieldProps) {
  const [text, setText] = useState('');
  const search = useDebounced(text.trim());
  const known = useSteeringStore((state) => state.known);
  const { learn } = useSteeringStore.getState();
  const found = useFeatureSearch(search === '' ? null : trainingId, search, 'max_activation');
  const near = steeredIds.flatMap((id) => known[id] ?? []);
  const rows = text.trim() === '' ? near : (found.data ?? []);
  const choose = (row: FeatureRow) => {
    learn(row);
    onChange({ id: row.id, threshold: 0 });
  };
  return (
    <div className="space-y-2">
      <SearchInput
        label="Search a feature for the condition"
        placeholder="everywhere, or search a feature"
        value={text}
        onChange={setText}
      />
      {found.error && text.trim() !== '' && (
        <ErrorBox problem={found.error} action={{ label: 'Try again', onClick: found.again }} />
      )}
      {rows.length > 0 && (
        <ul
          aria-label="Features for the condition"
          tabIndex={0}
          className="max-h-40 divide-y divide-slate-800 overflow-y-auto rounded-lg border border-slate-800"
        >
          {rows.map((row) => (
            <li key={row.id} className="flex items-center gap-3 px-3 py-1.5 text-sm">
              <span className="w-14 shrink-0 font-mono text-slate-400">#{row.neuron_index}</span>
              <span className="min-w-0 flex-1 truncate" title={row.name ?? undefined}>
                {row.name ?? <span className="text-slate-400 italic">No label</span>}
              </span>
              <span className="shrink-0 text-xs text-slate-400">layer {row.layer}</span>
              <Button
                size="sm"
                aria-label={`Only where #${row.neuron_index} fires`}
                onClick={() => choose(row)}
              >
                Use
              </Button>
            </li>
          ))}
        </ul>
      )}
      {text.trim() !== '' && search === text.trim() && found.data?.length === 0 && (
        <p className="text-sm text-slate-400">No feature matches “{search}”.</p>
      )}
    </div>
  );
}
