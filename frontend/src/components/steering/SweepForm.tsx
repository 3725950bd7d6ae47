import { Input, TextArea } from '@/components/common/Input';
import { NumberInput } from '@/components/common/NumberInput';
import { Select } from '@/components/common/Select';
import { fields } from '@/services/generated/fields';
import { useSteeringStore } from '@/stores/steeringStore';
import { CONTROLS, CRITERIA } from '@/stores/steeringUrl';
import type { SweepCriterion } from '@/types/steering.types';
import { CONTROL_VIEWS, CRITERION_LABELS } from './sweepViews';
import { LARGEST_STRENGTH, numbersError, samplesError, targetsError } from './sweepPlan';

const SPECS = fields.SweepRequest;

/** What a sweep tries: prompts, strengths, KL targets, controls. */
export function SweepForm() {
  const plan = useSteeringStore((state) => state.config.sweep);
  const prompt = useSteeringStore((state) => state.config.prompt);
  const change = useSteeringStore.getState().updateSweep;
  return (
    <div className="space-y-4">
      <TextArea
        label="Prompts, one per line"
        help={SPECS.prompts.help}
        rows={4}
        value={plan.prompts}
        placeholder={prompt || 'The best strength is chosen on every other prompt'}
        hint="Empty takes the prompt of the comparison. Two or more let the result be judged on prompts that took no part in the choice."
        onChange={(prompts) => change({ prompts })}
      />
      <div className="grid gap-4 sm:grid-cols-2">
        <Input
          label="Strengths"
          help={SPECS.strengths.help}
          error={numbersError(plan.strengths, LARGEST_STRENGTH)}
          value={plan.strengths}
          mono
          onChange={(strengths) => change({ strengths })}
        />
        <Input
          label="KL targets (optional)"
          help={SPECS.kl_targets.help}
          error={targetsError(plan.klTargets)}
          placeholder="0.1, 0.3, 1, 3"
          value={plan.klTargets}
          mono
          onChange={(klTargets) => change({ klTargets })}
        />
        <NumberInput
          label="Samples per prompt"
          help={SPECS.n_samples.help}
          error={samplesError(plan.nSamples)}
          value={plan.nSamples}
          onChange={(nSamples) => change({ nSamples })}
        />
        <Select
          label="Best strength by"
          help={SPECS.select_by.help}
          value={plan.selectBy}
          onChange={(name) => change({ selectBy: name as SweepCriterion })}
          options={CRITERIA.map((value) => ({ value, label: CRITERION_LABELS[value] }))}
        />
      </div>
      <fieldset className="space-y-2">
        <legend className="text-sm font-medium text-slate-300">Compared with</legend>
        <div className="grid gap-2 sm:grid-cols-2">
          {CONTROLS.map((name) => (
            <label
              key={name}
              title={CONTROL_VIEWS[name].help}
              className="flex items-center gap-2 text-sm text-slate-300"
            >
              <input
                type="checkbox"
                className="accent-emerald-500"
                checked={!plan.without.includes(name)}
                onChange={(event) =>
                  change({
                    without: event.target.checked
                      ? plan.without.filter((other) => other !== name)
                      : [...plan.without, name],
                  })
                }
              />
              {CONTROL_VIEWS[name].label}
            </label>
          ))}
        </div>
      </fieldset>
    </div>
  );
}
