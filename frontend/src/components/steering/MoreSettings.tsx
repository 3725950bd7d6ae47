import { Disclosure } from '@/components/common/Disclosure';
import { SpecField, type SpecValue } from '@/components/common/SpecField';
import type { SteeringConfig } from '@/stores/steeringStore';
import { specError } from '@/utils/validation';
import { MORE_LABELS, MORE_NAMES, STEERING_SPECS } from './steeringRequest';

interface MoreSettingsProps {
  more: NonNullable<SteeringConfig['more']>;
  onChange: (more: NonNullable<SteeringConfig['more']>) => void;
}

/** What few runs change: sampling, and at which tokens the edit acts. */
export function MoreSettings({ more, onChange }: MoreSettingsProps) {
  const set = (name: string, value: SpecValue, standard: unknown) => {
    const others = Object.entries(more).filter(([key]) => key !== name);
    onChange(Object.fromEntries(value === standard ? others : [...others, [name, value]]));
  };
  const changed = Object.keys(more).length;
  return (
    <Disclosure title={changed ? `More settings (${changed} changed)` : 'More settings'}>
      <div className="grid gap-4 sm:grid-cols-2">
        {MORE_NAMES.map((name) => {
          const spec = STEERING_SPECS[name];
          const value = name in more ? (more[name] ?? null) : (spec.default as SpecValue);
          return (
            <SpecField
              key={name}
              spec={spec}
              label={MORE_LABELS[name]}
              value={value}
              error={specError(spec, value)}
              onChange={(next) => set(name, next, spec.default)}
            />
          );
        })}
      </div>
    </Disclosure>
  );
}
