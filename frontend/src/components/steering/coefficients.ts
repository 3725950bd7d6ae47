import type { CoefficientUnit } from '@/types/steering.types';

/** How a unit is shown: its range on the slider and its quick values. */
export interface UnitScale {
  label: string;
  /** After the number, such as "× max". */
  suffix: string;
  help: string;
  limit: number;
  step: number;
  /** What "Suppress" and "Amplify" set. */
  quick: number;
}

export const UNIT_SCALES: Record<CoefficientUnit, UnitScale> = {
  max_multiple: {
    label: 'times its maximum',
    suffix: '× max',
    help: 'Multiples of the largest activation that discovery measured for this feature.',
    limit: 5,
    step: 0.1,
    quick: 2,
  },
  activation: {
    label: 'activation units',
    suffix: 'act.',
    help: 'Length added along the unit-norm decoder direction, the same for every feature.',
    limit: 50,
    step: 1,
    quick: 20,
  },
  norm_fraction: {
    label: 'share of the norm',
    suffix: '× ‖h‖',
    help: "Share of the state's own norm at each position.",
    limit: 1,
    step: 0.02,
    quick: 0.4,
  },
  kl: {
    label: 'nats of change',
    suffix: 'nats',
    help: 'The strength is found by a few probes, so that the 95th percentile of the KL divergence is this; the sign says which way.',
    limit: 3,
    step: 0.1,
    quick: 1,
  },
};

/** The same strength to a user's eye when the unit changes: its share of the slider stays. */
export function convertCoefficient(
  coefficient: number,
  from: CoefficientUnit,
  to: CoefficientUnit,
): number {
  const share = coefficient / UNIT_SCALES[from].limit;
  const { limit, step } = UNIT_SCALES[to];
  const steps = Math.round((share * limit) / step);
  return Number((steps * step).toFixed(2));
}

/** What the sign of a coefficient does. */
export function effectOf(coefficient: number): 'suppress' | 'none' | 'amplify' {
  if (coefficient === 0) return 'none';
  return coefficient < 0 ? 'suppress' : 'amplify';
}
