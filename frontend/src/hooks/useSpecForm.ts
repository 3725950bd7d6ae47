import { useState } from 'react';
import type { FieldSpec } from '@/types/form.types';
import { specError } from '@/utils/validation';

type SpecValue = string | number | boolean | null;

function initial(spec: FieldSpec): SpecValue {
  return typeof spec.default === 'object' ? null : spec.default;
}

/**
 * Values of a request's scalar fields, from their defaults on, checked against the API's bounds.
 *
 * @param overrides Values to start from instead of the defaults.
 */
export function useSpecForm<K extends string>(
  specs: Record<K, FieldSpec>,
  names: readonly K[],
  overrides: Partial<Record<K, SpecValue>> = {},
) {
  const [values, setValues] = useState<Record<string, SpecValue>>(() =>
    Object.fromEntries(
      names.map((name) => {
        const value = overrides[name];
        return [name, value === undefined ? initial(specs[name]) : value];
      }),
    ),
  );
  const set = (name: K) => (value: SpecValue) =>
    setValues((current) => ({ ...current, [name]: value }));
  const errors: Record<string, string | undefined> = Object.fromEntries(
    names.map((name) => [name, specError(specs[name], values[name])]),
  );
  const hasErrors = Object.values(errors).some(Boolean);
  /** Takes over what is known of saved values; the rest goes back to its defaults. */
  const load = (saved: Readonly<Record<string, unknown>>) =>
    setValues(
      Object.fromEntries(
        names.map((name) => {
          const value = saved[name];
          const isKnown = name in saved && (value === null || typeof value !== 'object');
          return [name, isKnown ? (value as SpecValue) : initial(specs[name])];
        }),
      ),
    );
  return { values, set, setValues, load, errors, hasErrors };
}
