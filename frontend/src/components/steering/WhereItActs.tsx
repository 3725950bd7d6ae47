import { useId } from 'react';
import { Disclosure } from '@/components/common/Disclosure';
import { ErrorNote, groupDescribedBy } from '@/components/common/Field';
import { Input } from '@/components/common/Input';
import { NumberInput } from '@/components/common/NumberInput';
import { Segmented } from '@/components/common/Segmented';
import { Toggle } from '@/components/common/Toggle';
import { type SteeringConfig, useSteeringStore } from '@/stores/steeringStore';
import { ConditionField } from './ConditionField';
import {
  ACTS_NOWHERE,
  type Changeable,
  modeOf,
  PLACE_LABELS,
  PLACE_NAMES,
  STEERING_SPECS,
  withSetting,
} from './steeringRequest';
import { TokenField } from './TokenField';
import { countLimits, isOn, whereErrors } from './where';

const MODES = [
  { value: 'delta', label: 'Add the change' },
  { value: 'reconstruction', label: 'Reconstruction' },
] as const;
const MODE_HELP = {
  delta: 'What the dictionary does not describe of a state stays.',
  reconstruction:
    'The dictionary’s output takes the place of the state. A third text shows what that alone does.',
};

interface WhereItActsProps {
  config: SteeringConfig;
  trainingId: string | null;
  /** Why the condition cannot decide, as far as its layer says. */
  conditionError: string | undefined;
  /** Off for a sweep, in which only the change is added. */
  showsMode: boolean;
  onChange: (changes: Pick<SteeringConfig, 'more'>) => void;
}

/** At which tokens the features act: parts of the text, places, tokens, another feature. */
export function WhereItActs(props: WhereItActsProps) {
  const { config, trainingId, conditionError, showsMode, onChange } = props;
  const { where } = config;
  const { updateWhere } = useSteeringStore.getState();
  const set = (name: Changeable, value: string | boolean) =>
    onChange({ more: withSetting(config.more, name, value) });
  const errors = whereErrors(where);
  const mode = modeOf(config);
  const id = useId();
  const isSomewhere = isOn(config, 'steer_prompt') || isOn(config, 'steer_generated');
  const nowhere = isSomewhere ? undefined : ACTS_NOWHERE;
  const count = countLimits(config);
  return (
    <Disclosure title={count ? `Where it acts (${count} changed)` : 'Where it acts'}>
      <div className="space-y-5">
        <div
          role="group"
          aria-label="Parts of the text"
          {...groupDescribedBy(id, nowhere)}
          className="grid gap-4 sm:grid-cols-2"
        >
          {PLACE_NAMES.map((name) => {
            const spec = STEERING_SPECS[name];
            return (
              <Toggle
                key={name}
                label={PLACE_LABELS[name]}
                help={spec.help}
                checked={(config.more?.[name] ?? spec.default) === true}
                onChange={(value) => set(name, value)}
              />
            );
          })}
        </div>
        {nowhere && <ErrorNote id={id}>{nowhere}</ErrorNote>}
        <Input
          label="Only at positions"
          help="Absolute, the first token of the prompt being 0; the start token counts."
          placeholder="all, or such as 3, 7-9"
          error={errors.positions}
          value={where.positions}
          mono
          onChange={(positions) => updateWhere({ positions })}
        />
        <div className="grid grid-cols-2 gap-3">
          <NumberInput
            label="From position"
            placeholder="first"
            error={errors.from}
            value={where.from}
            onChange={(from) => updateWhere({ from })}
          />
          <NumberInput
            label="To position"
            placeholder="last"
            error={errors.to}
            value={where.to}
            onChange={(to) => updateWhere({ to })}
          />
        </div>
        <TokenField
          modelId={config.modelId}
          ids={where.tokenIds}
          onChange={(tokenIds) => updateWhere({ tokenIds })}
        />
        <ConditionField
          condition={where.condition}
          trainingId={trainingId}
          steeredIds={config.steered.map(({ id }) => id)}
          placeError={conditionError}
          thresholdError={errors.threshold}
          onChange={(condition) => updateWhere({ condition })}
        />
        {showsMode && (
          <div className="space-y-2">
            <p className="text-sm font-medium text-slate-300">What takes the place of a state</p>
            <Segmented
              label="What takes the place of a state"
              options={MODES}
              value={mode}
              onChange={(value) => set('mode', value)}
            />
            <p className="text-xs text-slate-400">{MODE_HELP[mode]}</p>
          </div>
        )}
      </div>
    </Disclosure>
  );
}
