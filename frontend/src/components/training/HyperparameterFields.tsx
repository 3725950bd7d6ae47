import { Disclosure } from '@/components/common/Disclosure';
import { SpecField } from '@/components/common/SpecField';
import type { useSpecForm } from '@/hooks/useSpecForm';
import { fields } from '@/services/generated/fields';
import { formatInteger } from '@/utils/format';
import { advancedFields, mainFields } from './hyperparameterFields';

interface HyperparameterFieldsProps {
  form: ReturnType<typeof useSpecForm<keyof typeof fields.Hyperparameters>>;
  /** Number of latents of the dictionary; null while no model is chosen. */
  latents: number | null;
  serverErrors: Record<string, string | undefined>;
}

/** All hyperparameters; defaults, bounds, units and help are the API's own. */
export function HyperparameterFields({ form, latents, serverErrors }: HyperparameterFieldsProps) {
  const { activation } = form.values;
  const render = (views: typeof mainFields) =>
    views
      .filter(({ only }) => only === undefined || only === activation)
      .map(({ name, label, choices }) => (
        <SpecField
          key={name}
          spec={fields.Hyperparameters[name]}
          label={label}
          choices={choices}
          value={form.values[name] ?? null}
          onChange={form.set(name)}
          error={form.errors[name] ?? serverErrors[name]}
        />
      ));

  return (
    <div className="space-y-4">
      <div className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">{render(mainFields)}</div>
      {latents !== null && (
        <p className="text-sm text-slate-400">
          The dictionary has{' '}
          <span className="font-mono text-slate-200">{formatInteger(latents)}</span> latents; the
          run reads{' '}
          <span className="font-mono text-slate-200">
            {formatInteger(Number(form.values.training_steps) * Number(form.values.batch_size))}
          </span>{' '}
          tokens.
        </p>
      )}
      <Disclosure title="Advanced Hyperparameters">
        <div className="grid gap-4 sm:grid-cols-2">{render(advancedFields)}</div>
      </Disclosure>
    </div>
  );
}
