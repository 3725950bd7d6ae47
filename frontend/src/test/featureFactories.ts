import type {
  Ablation,
  Feature,
  FeatureExample,
  FeatureRow,
  LogitLens,
  PackedMap,
  ProbeResult,
  RelatedFeature,
} from '@/types/feature.types';
import type { GeneratedText, GeneratedToken, SteeringResult } from '@/types/steering.types';

const TIME = '2026-11-23T09:00:00Z';
export const TRAINING_ID = '00000000-0000-4000-8000-00000000aaaa';

export function makeExample(fields: Partial<FeatureExample> = {}): FeatureExample {
  return {
    rank: 0,
    kind: 'top',
    octave: null,
    margin: null,
    token_index: null,
    window_position: null,
    document: 12,
    position: 2,
    split: 'train',
    tokens: ['Returns', ' the', ' number', ' of', ' items'],
    token_ids: [1, 2, 3, 4, 5],
    activations: [0, 0.5, 4.25, 1, 0],
    max_activation: 4.25,
    ...fields,
  };
}

export function makeFeatureRow(fields: Partial<FeatureRow> = {}): FeatureRow {
  return {
    id: 7,
    training_id: TRAINING_ID,
    neuron_index: 107,
    layer: 1,
    name: 'number',
    label: 'number',
    label_source: 'token',
    top_token: ' number',
    tags: [],
    p99_activation: null,
    token_concentration: null,
    effective_tokens: null,
    token_entropy: null,
    token_rule: null,
    context_shift: null,
    coherence: null,
    logit_kurtosis: null,
    nearest_cosine: null,
    max_jaccard: null,
    encoder_decoder_cosine: null,
    output_score: null,
    input_score: null,
    map_x: null,
    map_y: null,
    cluster: null,
    matches: [],
    description: null,
    activation_frequency: 0.0123,
    interpretability_score: null,
    max_activation: 4.25,
    mean_activation: 1.5,
    n_fires: 615,
    is_favorite: false,
    top_example: makeExample(),
    ...fields,
  };
}

export function makeFeature(fields: Partial<Feature> = {}): Feature {
  return {
    ...makeFeatureRow(),
    metadata: {
      top_tokens: [{ token: ' number', token_id: 3, count: 14, mean_activation: 3.5 }],
      quantiles: { '0.5': 1.25, '0.99': 4 },
      histogram: { edges: [0.5, 1, 2, 4, 8], counts: [100, 300, 200, 15] },
    },
    definitions: {},
    n_tokens: 50_000,
    n_examples: 2,
    created_at: TIME,
    ...fields,
  };
}

export function makeLens(fields: Partial<LogitLens> = {}): LogitLens {
  return {
    feature_id: 7,
    definition: 'Direct effect of the decoder direction on the output logits.',
    top: [
      { token: ' of', token_id: 4, logit: 2.5 },
      { token: ' count', token_id: 9, logit: 1.25 },
    ],
    bottom: [{ token: '\n', token_id: 10, logit: -1.5 }],
    ...fields,
  };
}

export function makeRelated(fields: Partial<RelatedFeature> = {}): RelatedFeature {
  return {
    id: 8,
    neuron_index: 108,
    name: 'count',
    pearson: 0.75,
    jaccard: 0.25,
    pmi: 1.9,
    together: 5495,
    cosine: 0.91,
    ...fields,
  };
}

export function makeAblation(fields: Partial<Ablation> = {}): Ablation {
  return {
    feature_id: 7,
    definition: 'Means over the tokens on which it fires.',
    n_positions: 3,
    mean_loss_change: 0.125,
    mean_kl: 0.5,
    promoted: [{ token: ' a', token_id: 1, logit: 0.5 }],
    suppressed: [{ token: ' of', token_id: 4, logit: -1.5 }],
    contexts: [
      {
        tokens: [' the', ' number'],
        token_ids: [2, 3],
        activations: [0, 4.25],
        loss_change: [0.25, null],
        kl: [0.1, 0.9],
      },
    ],
    ...fields,
  };
}

export function makeProbe(fields: Partial<ProbeResult> = {}): ProbeResult {
  return {
    job_id: '00000000-0000-4000-8000-00000000dddd',
    tokens: ['The', ' cat', '.'],
    token_ids: [1, 2, 3],
    n_firing: 2,
    features: [
      {
        id: 7,
        neuron_index: 107,
        name: 'cat',
        max_activation: 3,
        share_of_max: 0.75,
        position: 1,
        activations: [0, 3, 0],
      },
      {
        id: 8,
        neuron_index: 108,
        name: 'stop',
        max_activation: 2,
        share_of_max: 1,
        position: 2,
        activations: [0, 0, 2],
      },
    ],
    classes: [],
    definition: 'Chance that a line of the class is above another.',
    ...fields,
  };
}

/** As the server packs a column. */
function packed(column: { buffer: ArrayBufferLike }): string {
  return btoa(String.fromCharCode(...new Uint8Array(column.buffer)));
}

export function makePackedMap(fields: Partial<PackedMap> = {}): PackedMap {
  return {
    training_id: TRAINING_ID,
    layout: 'pca',
    n_features: 3,
    n_clusters: 2,
    columns: {
      ids: packed(new Float64Array([7, 8, 9])),
      neuron_index: packed(new Int32Array([107, 108, 109])),
      x: packed(new Float32Array([0, 1, NaN])),
      y: packed(new Float32Array([0, 1, NaN])),
      cluster: packed(new Int32Array([0, 1, -1])),
      activation_frequency: packed(new Float32Array([0.01, 0.2, 0])),
      max_activation: packed(new Float32Array([4, 2, 0])),
      names: 'number\n\n',
    },
    duplicates: [[7, 8, 0.95]],
    ...fields,
  };
}

export function makeGeneratedToken(fields: Partial<GeneratedToken> = {}): GeneratedToken {
  return {
    token_id: 1,
    text: ' a',
    logprob: -0.5,
    base_logprob: -0.5,
    kl: 0,
    activations: [],
    achieved: [],
    ...fields,
  };
}

export function makeProof(fields: Partial<SteeringResult['proof']> = {}): SteeringResult['proof'] {
  return {
    positions_touched: 9,
    prompt_positions_touched: 3,
    positions_changed: 9,
    mean_delta_norm: 12,
    mean_delta_norm_ratio: 0.25,
    first_differing_logit: { index: 0, max_difference: 1.5 },
    first_divergence: 1,
    ...fields,
  };
}

export function makeGenerated(fields: Partial<GeneratedText> = {}): GeneratedText {
  return {
    text: ' a cat',
    tokens: [
      makeGeneratedToken({ token_id: 1, text: ' a', logprob: -0.5, base_logprob: -0.5 }),
      makeGeneratedToken({ token_id: 2, text: ' cat', logprob: -1, base_logprob: -3, kl: 0.8 }),
    ],
    perplexity: 12,
    ended: 'length',
    ...fields,
  };
}

export function makeSteeringResult(fields: Partial<SteeringResult> = {}): SteeringResult {
  return {
    job_id: '00000000-0000-4000-8000-00000000bbbb',
    model_id: '00000000-0000-4000-8000-00000000cccc',
    prompt: 'Once',
    intervention_layer: 1,
    features: [],
    unsteered_output: makeGenerated({ text: ' a dog' }),
    steered_output: makeGenerated(),
    metrics: [
      {
        key: 'kl_mean',
        label: 'KL, mean',
        value: 0.4,
        unit: 'nats',
        definition: 'Mean divergence per generated token.',
      },
      {
        key: 'similarity',
        label: 'Similarity',
        value: 0.91,
        unit: 'cosine',
        definition: 'Cosine.',
      },
    ],
    proof: makeProof(),
    prompt_tokens: [{ token_id: 3, text: 'Once', steered: true }],
    diff: [{ op: 'replace', unsteered: [0, 2], steered: [0, 2] }],
    warnings: [],
    environment: {
      model: 'LlamaForCausalLM',
      dtype: 'float32',
      device: 'cpu',
      torch: '2.13.0',
      transformers: '5.23.0',
      dictionaries: '0123456789abcdef',
      sampler: 'greedy',
    },
    stopped: false,
    seconds: 1.5,
    first_token_seconds: 0.2,
    ...fields,
  };
}
