import type { SteeringMethod } from '@/types/steering.types';

/** How a feature is edited, as the card names it. */
export interface MethodView {
  label: string;
  help: string;
  /** What the coefficient stands for; null where the method takes none. */
  value: 'Strength' | 'Target' | 'Factor' | null;
  /** Whether its value has a unit. */
  hasUnit: boolean;
}

export const METHODS: Record<SteeringMethod, MethodView> = {
  add: { label: 'Add', help: 'Its direction is added.', value: 'Strength', hasUnit: true },
  clamp: {
    label: 'Clamp',
    help: 'The feature is set to the target at every position.',
    value: 'Target',
    hasUnit: true,
  },
  floor: {
    label: 'Raise to',
    help: 'The feature is raised to the target where it is lower.',
    value: 'Target',
    hasUnit: true,
  },
  scale: {
    label: 'Multiply',
    help: 'What is there of the feature is multiplied.',
    value: 'Factor',
    hasUnit: false,
  },
  ablate: { label: 'Ablate', help: 'The feature is set to 0.', value: null, hasUnit: false },
  project: {
    label: 'Scale direction',
    help: "The state's part along the direction is multiplied; 0 removes it.",
    value: 'Factor',
    hasUnit: false,
  },
};

export const METHOD_NAMES = Object.keys(METHODS) as SteeringMethod[];
