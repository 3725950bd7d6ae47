import { create } from 'zustand';
import { isAborted, toApiError } from '@/services/api';
import { jobService } from '@/services/jobService';
import { steeringService } from '@/services/steeringService';
import { realtime } from '@/services/websocket';
import type { Problem } from '@/types/api.types';
import type { FeatureRow } from '@/types/feature.types';
import type {
  CoefficientUnit,
  ControlName,
  SteeringGenerate,
  SteeringMethod,
  SteeringResult,
  SweepCriterion,
} from '@/types/steering.types';
import { newId } from '@/utils/ids';
import { navigate } from '@/utils/urlState';
import { applyTokens, lastIndex, type LiveTexts, noTexts } from './steeringLive';

/** A feature that is to be added to the residual stream. */
export interface Steered {
  id: number;
  coefficient: number;
  unit: CoefficientUnit;
  /** Left out for adding the direction. */
  method?: SteeringMethod;
  /** Act only where the feature is above zero. */
  onlyActive?: boolean;
  /** Another block than the intervention layer. */
  layer?: number;
  /** Another place in the block than the one that its dictionary writes. */
  hookType?: string;
}

/** What a sweep tries, as it is typed. */
export interface SweepPlan {
  /** One per line; empty takes the prompt of the comparison. */
  prompts: string;
  /** Numbers with commas or spaces between them. */
  strengths: string;
  klTargets: string;
  /** Null while the field is empty. */
  nSamples: number | null;
  selectBy: SweepCriterion;
  /** Controls that are left out. */
  without: readonly ControlName[];
}

/** Another feature decides where the edit acts. */
export interface SteeringCondition {
  id: number;
  /** Null while its field is empty. */
  threshold: number | null;
}

/** At which tokens the features act, beside the settings of the API that are plain values. */
export interface Where {
  /** As typed: `3, 7-9`; empty means everywhere. */
  positions: string;
  /** First and last position; null means no limit. */
  from: number | null;
  to: number | null;
  tokenIds: readonly number[];
  condition: SteeringCondition | null;
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
  /** Texts that end the generation. */
  stop: readonly string[];
  /** Settings that were changed from the API's defaults, by their name there. */
  more?: Readonly<Record<string, string | number | boolean | null>>;
  where: Where;
  sweep: SweepPlan;
}

export type RunState = 'idle' | 'running' | 'done' | 'failed' | 'cancelled';

export interface SteeringRun {
  state: RunState;
  /** Milliseconds since the epoch. */
  startedAt: number | null;
  /** What has come of the texts while they are written. */
  live: LiveTexts;
  /** A third text is written, with nothing but the reconstruction. */
  hasBaseline: boolean;
  /** Stop was pressed; the text so far is on its way. */
  isStopping: boolean;
  result: SteeringResult | null;
  problem: Problem | null;
}

interface SteeringStore {
  config: SteeringConfig;
  /** What is known of the selected features, for their labels. */
  known: Record<number, FeatureRow>;
  run: SteeringRun;
  setConfig: (config: SteeringConfig) => void;
  /** Shows a saved run as if it had just been generated, with what it was asked. */
  openRun: (result: SteeringResult, config: SteeringConfig) => void;
  updateWhere: (changes: Partial<Where>) => void;
  updateSweep: (changes: Partial<SweepPlan>) => void;
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

export const defaultSweep: SweepPlan = {
  prompts: '',
  strengths: '-2, -1, 0.5, 1, 1.5, 2, 3',
  klTargets: '',
  nSamples: 1,
  selectBy: 'balance',
  without: [],
};

export const everywhere: Where = {
  positions: '',
  from: null,
  to: null,
  tokenIds: [],
  condition: null,
};

export const defaultConfig: SteeringConfig = {
  steered: [],
  modelId: null,
  prompt: '',
  layer: null,
  temperature: 0.7,
  maxNewTokens: 60,
  seed: 0,
  stop: [],
  where: everywhere,
  sweep: defaultSweep,
};

/** No generation yet. */
export const idle: SteeringRun = {
  state: 'idle',
  startedAt: null,
  live: noTexts,
  hasBaseline: false,
  isStopping: false,
  result: null,
  problem: null,
};

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

let current: { runId: string; controller: AbortController } | null = null;

export const useSteeringStore = create<SteeringStore>((set, get) => {
  const changeSteered = (change: (steered: Steered[]) => Steered[]) =>
    set(({ config }) => ({ config: { ...config, steered: change(config.steered) } }));

  return {
    config: defaultConfig,
    known: {},
    run: idle,

    setConfig: (config) => set({ config }),
    openRun: (result, config) => {
      current?.controller.abort();
      current = null;
      const hasBaseline = Boolean(result.reconstruction);
      set({ config, run: { ...idle, state: 'done', result, hasBaseline } });
    },
    updateWhere: (changes) =>
      set(({ config }) => ({ config: { ...config, where: { ...config.where, ...changes } } })),
    updateSweep: (changes) =>
      set(({ config }) => ({ config: { ...config, sweep: { ...config.sweep, ...changes } } })),
    update: (changes) => set(({ config }) => ({ config: { ...config, ...changes } })),
    learn: (feature) => set(({ known }) => ({ known: { ...known, [feature.id]: feature } })),
    addFeature: (feature) => {
      get().learn(feature);
      changeSteered((steered) => withFeature(steered, feature.id));
    },
    removeFeature: (id) => changeSteered((steered) => withoutFeature(steered, id)),
    changeFeature: (id, changes) => changeSteered((steered) => withChange(steered, id, changes)),

    generate: async (request) => {
      current?.controller.abort();
      const mine = { runId: newId(), controller: new AbortController() };
      current = mine;
      const startedAt = Date.now();
      const hasBaseline = request.mode === 'reconstruction';
      const end = (run: Partial<SteeringRun>) => {
        if (current === mine) set({ run: { ...idle, startedAt, hasBaseline, ...run } });
      };
      set({ run: { ...idle, state: 'running', startedAt, hasBaseline } });
      const unfollow = followTokens(
        mine.runId,
        () => lastIndex(get().run.live),
        (apply) => set(({ run }) => ({ run: { ...run, live: apply(run.live) } })),
      );
      try {
        const body = { ...request, run_id: mine.runId };
        const result = await steeringService.generate(body, mine.controller.signal);
        end({ state: 'done', result, hasBaseline: Boolean(result.reconstruction) });
        if (current === mine) navigate({ run: result.job_id }, 'replace');
      } catch (error) {
        if (isAborted(error)) end({ state: 'cancelled' });
        else end({ state: 'failed', problem: toApiError(error) });
      } finally {
        unfollow();
      }
    },

    cancel: () => {
      const mine = current;
      if (!mine) return;
      set(({ run }) => ({ run: { ...run, isStopping: true } }));
      // A run that the server does not know yet has no text to keep.
      jobService.cancel(mine.runId).catch(() => mine.controller.abort());
    },
  };
});

type Apply = (live: LiveTexts) => LiveTexts;

/** Is in the run's room, from before its first token on; the returned function leaves it. */
function followTokens(
  runId: string,
  place: () => number,
  change: (apply: Apply) => void,
): () => void {
  const leave = realtime.subscribe(`job:${runId}`, place);
  const off = realtime.on('steering.tokens', (event) => {
    if (event.data.job_id === runId) change((live) => applyTokens(live, event));
  });
  return () => {
    off();
    leave();
  };
}
