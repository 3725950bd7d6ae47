import { create } from 'zustand';
import { isAborted, toApiError } from '@/services/api';
import { steeringService } from '@/services/steeringService';
import type { Problem } from '@/types/api.types';
import type { FeatureRow } from '@/types/feature.types';
import type { CoefficientUnit, SteeringGenerate, SteeringResult } from '@/types/steering.types';

/** A feature that is to be added to the residual stream. */
export interface Steered {
  id: number;
  coefficient: number;
  unit: CoefficientUnit;
}

/** Everything that decides what is generated; kept in the page's address. */
export interface SteeringConfig {
  steered: Steered[];
  modelId: string | null;
  prompt: string;
  /** Null takes the layer that the dictionary was trained on. */
  layer: number | null;
  /** Null while their field is empty. */
  temperature: number | null;
  maxNewTokens: number | null;
  seed: number | null;
}

export type RunState = 'idle' | 'running' | 'done' | 'failed' | 'cancelled';

export interface SteeringRun {
  state: RunState;
  /** Milliseconds since the epoch. */
  startedAt: number | null;
  result: SteeringResult | null;
  problem: Problem | null;
}

interface SteeringStore {
  config: SteeringConfig;
  /** What is known of the selected features, for their labels. */
  known: Record<number, FeatureRow>;
  run: SteeringRun;
  setConfig: (config: SteeringConfig) => void;
  update: (changes: Partial<Omit<SteeringConfig, 'steered'>>) => void;
  addFeature: (feature: FeatureRow) => void;
  learn: (feature: FeatureRow) => void;
  removeFeature: (id: number) => void;
  changeFeature: (id: number, changes: Partial<Omit<Steered, 'id'>>) => void;
  generate: (request: SteeringGenerate) => Promise<void>;
  cancel: () => void;
}

export const MAX_STEERED = 16;
const FIRST_COEFFICIENT = 1;

export const defaultConfig: SteeringConfig = {
  steered: [],
  modelId: null,
  prompt: '',
  layer: null,
  temperature: 0.7,
  maxNewTokens: 60,
  seed: 0,
};

const idle: SteeringRun = { state: 'idle', startedAt: null, result: null, problem: null };

/** Adds a feature at once its maximum; one that is there already, or a seventeenth, changes nothing. */
export function withFeature(steered: readonly Steered[], id: number): Steered[] {
  if (steered.length >= MAX_STEERED || steered.some((s) => s.id === id)) return [...steered];
  return [...steered, { id, coefficient: FIRST_COEFFICIENT, unit: 'max_multiple' }];
}

export function withoutFeature(steered: readonly Steered[], id: number): Steered[] {
  return steered.filter((s) => s.id !== id);
}

export function withChange(
  steered: readonly Steered[],
  id: number,
  changes: Partial<Omit<Steered, 'id'>>,
): Steered[] {
  return steered.map((s) => (s.id === id ? { ...s, ...changes } : s));
}

let controller: AbortController | null = null;

export const useSteeringStore = create<SteeringStore>((set, get) => {
  const changeSteered = (change: (steered: Steered[]) => Steered[]) =>
    set(({ config }) => ({ config: { ...config, steered: change(config.steered) } }));

  return {
    config: defaultConfig,
    known: {},
    run: idle,

    setConfig: (config) => set({ config }),
    update: (changes) => set(({ config }) => ({ config: { ...config, ...changes } })),
    learn: (feature) => set(({ known }) => ({ known: { ...known, [feature.id]: feature } })),
    addFeature: (feature) => {
      get().learn(feature);
      changeSteered((steered) => withFeature(steered, feature.id));
    },
    removeFeature: (id) => changeSteered((steered) => withoutFeature(steered, id)),
    changeFeature: (id, changes) => changeSteered((steered) => withChange(steered, id, changes)),

    generate: async (request) => {
      controller?.abort();
      const current = new AbortController();
      controller = current;
      const startedAt = Date.now();
      set({ run: { ...idle, state: 'running', startedAt } });
      try {
        const result = await steeringService.generate(request, current.signal);
        set({ run: { ...idle, state: 'done', startedAt, result } });
      } catch (error) {
        if (controller !== current) return;
        if (isAborted(error)) set({ run: { ...idle, state: 'cancelled' } });
        else set({ run: { ...idle, state: 'failed', problem: toApiError(error) } });
      }
    },

    cancel: () => controller?.abort(),
  };
});
