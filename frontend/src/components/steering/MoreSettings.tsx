import { Disclosure } from '@/components/common/Disclosure';
import { SpecField } from '@/components/common/SpecField';
import type { SteeringConfig } from '@/stores/steeringStore';
import type { SpecValue } from '@/types/form.types';
import { specError } from '@/utils/validation';
import { StopField } from './StopField';
import { MORE_LABELS, MORE_NAMES, STEERING_SPECS, withSetting } from './steeringRequest';

interface MoreSettingsProps {
  config: Pick<SteeringConfig, 'more' | 'stop'>;
  onChange: (changes: Partial<Pick<SteeringConfig, 'more' | 'stop'>>) => void;
}

/** What few runs change of the sampling, and where a text ends. */
export function MoreSettings({ config, onChange }: MoreSettingsProps) {
  const { more = {}, stop } = config;
  const changed = MORE_NAMES.filter((name) => name in more).length + (stop.length > 0 ? 1 : 0);
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
              onChange={(next) => onChange({ more: withSetting(more, name, next) })}
            />
          );
        })}
        <div className="min-w-0 sm:col-span-2">
          <StopField stop={stop} onChange={(texts) => onChange({ stop: texts })} />
        </div>
      </div>
    </Disclosure>
  );
}
