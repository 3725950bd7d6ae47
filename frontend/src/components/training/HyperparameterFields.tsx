import { Disclosure } from '@/components/common/Disclosure';
import { Input } from '@/components/common/Input';
import { SpecField } from '@/components/common/SpecField';
import type { useSpecForm } from '@/hooks/useSpecForm';
import { fields } from '@/services/generated/fields';
import { formatInteger } from '@/utils/format';
import { advancedFields, type Choices, mainFields, matters, nests } from './hyperparameterFields';

interface HyperparameterFieldsProps {
  form: ReturnType<typeof useSpecForm<keyof typeof fields.Hyperparameters>>;
  choices: Choices;
  /** Matryoshka sizes as typed. */
  sizes: string;
  onSizes: (text: string) => void;
  /** Number of latents of the dictionary; null while no model is chosen. */
  latents: number | null;
  serverErrors: Record<string, string | undefined>;
}

/** The hyperparameters that matter; defaults, bounds, units and help are the API's own. */
export function HyperparameterFields({
  form,
  choices: chosen,
  sizes,
  onSizes,
  latents,
  serverErrors,
}: HyperparameterFieldsProps) {
  const render = (views: typeof mainFields) =>
    views
      .filter((view) => matters(view, chosen))
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
        <div className="grid gap-4 sm:grid-cols-2">
          {render(advancedFields)}
          {nests(chosen) && (
            <Input
              label="Matryoshka Sizes"
              help={fields.Hyperparameters.matryoshka_sizes.help}
              placeholder="none, or rising numbers: 256, 1024"
              value={sizes}
              onChange={onSizes}
              error={serverErrors.matryoshka_sizes}
              mono
            />
          )}
        </div>
      </Disclosure>
    </div>
  );
}
