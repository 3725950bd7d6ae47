import type {
  ConditionOutcome,
  Preset,
  ResolvedFeature,
  SavedRun,
  Sweep,
  SweepFigures,
  SweepRow,
  SweptFeature,
} from '@/types/steering.types';
import { TRAINING_ID } from './featureFactories';

export function makeResolved(fields: Partial<ResolvedFeature> = {}): ResolvedFeature {
  return {
    id: 7,
    neuron_index: 107,
    name: 'number',
    coefficient: 2,
    unit: 'max_multiple',
    method: 'add',
    only_active: false,
    layer: 1,
    strength_in_activation_units: 8.5,
    strength_in_max_multiples: 2,
    strength_as_norm_fraction: 0.25,
    calibrated_kl: null,
    activation_unsteered: 0.5,
    activation_steered: 3.5,
    achieved_mean: 7.25,
    achieved_max: 9,
    ...fields,
  };
}

export function makeSavedRun(fields: Partial<SavedRun> = {}): SavedRun {
  return {
    id: '00000000-0000-4000-8000-00000000bbbb',
    model_id: '00000000-0000-4000-8000-00000000cccc',
    prompt: 'Once',
    features: [makeResolved()],
    unsteered_text: ' a dog',
    steered_text: ' a cat',
    fingerprint: 'abcdef0123456789',
    created_at: '2026-11-23T09:00:00Z',
    ...fields,
  };
}

export function makeCondition(fields: Partial<ConditionOutcome> = {}): ConditionOutcome {
  return {
    feature_id: 8,
    neuron_index: 108,
    name: 'digit',
    layer: 1,
    threshold: 0.5,
    positions_read: 20,
    positions_met: 5,
    largest_activation: 7.25,
    ...fields,
  };
}

export function makePreset(fields: Partial<Preset> = {}): Preset {
  return {
    id: '00000000-0000-4000-8000-00000000dddd',
    training_id: TRAINING_ID,
    name: 'Numbers up',
    description: null,
    features: [
      {
        feature_id: 7,
        coefficient: 3,
        unit: 'activation',
        method: 'clamp',
        only_active: true,
        layer: null,
        hook_type: null,
      },
    ],
    intervention_layer: 1,
    temperature: 0.2,
    condition: null,
    mode: 'delta',
    settings: {},
    is_favorite: false,
    created_at: '2026-11-23T09:00:00Z',
    updated_at: '2026-11-23T09:00:00Z',
    ...fields,
  };
}

export function makeFigures(fields: Partial<SweepFigures> = {}): SweepFigures {
  return {
    n_texts: 2,
    kl_mean: 0.3,
    kl_p50: 0.2,
    kl_p95: 0.9,
    perplexity: 14,
    perplexity_unsteered: 12,
    distinct_2: 0.9,
    distinct_2_unsteered: 0.95,
    repeated_3: 0.05,
    activation: 2.5,
    activation_max: 6,
    achieved: 5,
    promoted_share: 0.2,
    similarity: 0.9,
    embedding_similarity: null,
    word_overlap: 0.4,
    first_divergence: 3,
    n_tokens: 20,
    ended_share: 0,
    mean_delta_norm_ratio: 0.25,
    positions_touched: 22,
    ...fields,
  };
}

export function makeSweepRow(fields: Partial<SweepRow> = {}): SweepRow {
  return {
    strength: 1,
    unit: 'max_multiple',
    activation_units: 4.25,
    kl_target: null,
    is_unsteered: false,
    score: 0.6,
    figures: makeFigures(),
    example: 'a text of numbers',
    ...fields,
  };
}

export function makeSwept(fields: Partial<SweptFeature> = {}): SweptFeature {
  return {
    id: 7,
    neuron_index: 107,
    name: 'number',
    method: 'add',
    layer: 1,
    rows: [
      makeSweepRow({ strength: 0, activation_units: null, is_unsteered: true, score: 0.1 }),
      makeSweepRow({ strength: -1, score: 0.05 }),
      makeSweepRow(),
      makeSweepRow({ strength: 2, score: 0.4 }),
    ],
    best: {
      strength: 1,
      unit: 'max_multiple',
      kl_target: null,
      score: 0.55,
      unsteered_score: 0.12,
      figures: makeFigures(),
      unsteered: makeFigures({ activation: 0.1 }),
      is_held_out: true,
      example: 'the best text',
    },
    controls: [
      {
        name: 'random_direction',
        score: 0.15,
        figures: makeFigures({ activation: 0.2 }),
        example: 'a random text',
        note: null,
      },
      {
        name: 'prompt',
        score: null,
        figures: null,
        example: null,
        note: 'The feature has no name or label to ask for.',
      },
    ],
    side_effects: [
      {
        neuron_index: 12,
        feature_id: 55,
        name: 'digits',
        unsteered: 0.1,
        steered: 0.9,
        random: 0.2,
      },
      {
        neuron_index: 13,
        feature_id: null,
        name: null,
        unsteered: 0.5,
        steered: 0.1,
        random: null,
      },
    ],
    notes: [],
    ...fields,
  };
}

export function makeSweep(fields: Partial<Sweep> = {}): Sweep {
  return {
    id: '00000000-0000-4000-8000-00000000eeee',
    model_id: '00000000-0000-4000-8000-00000000cccc',
    state: 'succeeded',
    prompts: ['Once', 'Twice'],
    features: [
      {
        id: 7,
        neuron_index: 107,
        name: 'number',
        method: 'add',
        unit: 'max_multiple',
        at_layer: 1,
      },
    ],
    created_at: '2026-11-23T09:00:00Z',
    progress: 100,
    message: null,
    eta_seconds: null,
    error_code: null,
    error_message: null,
    select_by: 'balance',
    select_by_definition: 'Harmonic mean of concept and fluency.',
    settings: {},
    table: {
      features: [makeSwept()],
      chosen_on: [0],
      reported_on: [1],
      n_prompts_done: 2,
      stopped: false,
      seconds: 12,
      environment: {
        model: 'LlamaForCausalLM',
        dtype: 'float32',
        device: 'cpu',
        torch: '2.13.0',
        transformers: '5.23.0',
        dictionaries: '0123456789abcdef',
        sampler: 'greedy',
      },
    },
    definitions: { kl_p95: '95th percentile of the divergences.' },
    ...fields,
  };
}
