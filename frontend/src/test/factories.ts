import type { Dataset, DatasetStats, Tokenization } from '@/types/dataset.types';
import type { Estimate } from '@/types/estimate.types';
import type { JobUpdated, TrainingProgress } from '@/types/event.types';
import type { Job } from '@/types/job.types';
import type { Activation, LanguageModel, ModelArchitecture } from '@/types/model.types';
import type { ParityReport } from '@/types/sae.types';
import type { SystemInfo } from '@/types/system.types';
import type { TrainingTemplate } from '@/types/template.types';
import type { Checkpoint, MetricPoint, Training } from '@/types/training.types';

const TIME = '2026-11-23T09:00:00Z';
let count = 0;

function nextId(): string {
  count += 1;
  return `00000000-0000-4000-8000-${String(count).padStart(12, '0')}`;
}

export function makeJob(fields: Partial<Job> = {}): Job {
  return {
    id: nextId(),
    kind: 'dataset_import',
    queue: 'downloads',
    state: 'running',
    resource_type: 'dataset',
    resource_id: null,
    workflow_id: null,
    waits_for: null,
    retry_of: null,
    reason: null,
    attempt: 1,
    max_attempts: 3,
    requested: null,
    progress: 40,
    seq: 1,
    message: 'Reading text',
    prompt: null,
    eta_seconds: 75,
    error_code: null,
    error_message: null,
    error_details: null,
    result: null,
    estimate: null,
    measured: null,
    created_at: TIME,
    started_at: TIME,
    finished_at: null,
    updated_at: TIME,
    ...fields,
  };
}

export function jobEvent(job: Job): JobUpdated {
  return { type: 'job.updated', seq: job.seq, timestamp: TIME, data: job };
}

export function makeTokenization(fields: Partial<Tokenization> = {}): Tokenization {
  return {
    id: nextId(),
    dataset_id: nextId(),
    model_id: nextId(),
    status: 'ready',
    progress: 100,
    n_tokens: 12_345,
    n_documents: 80,
    error_message: null,
    metadata: null,
    created_at: TIME,
    job: null,
    ...fields,
  };
}

export function makeDataset(fields: Partial<Dataset> = {}): Dataset {
  return {
    id: nextId(),
    name: 'small-corpus',
    source: 'Local',
    repo_id: null,
    size_bytes: 4_465_848,
    n_documents: 800,
    status: 'ready',
    progress: 100,
    error_message: null,
    metadata: null,
    tokenizations: [],
    created_at: TIME,
    updated_at: TIME,
    job: null,
    ...fields,
  };
}

export function makeStats(fields: Partial<DatasetStats> = {}): DatasetStats {
  return {
    n_documents: 800,
    n_characters: 4_280_933,
    mean_characters: 5351.2,
    min_characters: 401,
    median_characters: 2116,
    max_characters: 224_961,
    character_histogram: [
      { lower: 0, upper: 250, count: 0 },
      { lower: 250, upper: null, count: 800 },
    ],
    tokenization_id: null,
    n_tokens: null,
    mean_tokens: null,
    unique_tokens: null,
    token_histogram: null,
    n_train_documents: null,
    n_held_out_documents: null,
    ...fields,
  };
}

export function makeModel(fields: Partial<LanguageModel> = {}): LanguageModel {
  return {
    id: nextId(),
    name: 'glass-en',
    repo_id: null,
    architecture: 'LlamaForCausalLM',
    params_count: 852_608,
    quantization: 'FP16',
    memory_req_bytes: 1_705_216,
    status: 'ready',
    progress: 100,
    error_message: null,
    n_layers: 4,
    d_model: 128,
    size_bytes: 1_774_363,
    metadata: null,
    created_at: TIME,
    updated_at: TIME,
    job: null,
    ...fields,
  };
}

export function makeArchitecture(fields: Partial<ModelArchitecture> = {}): ModelArchitecture {
  return {
    model_id: nextId(),
    name: 'glass-en',
    architecture: 'LlamaForCausalLM',
    family: 'llama',
    params_count: 852_608,
    n_layers: 4,
    d_model: 128,
    n_heads: 4,
    n_kv_heads: 2,
    d_mlp: 341,
    vocab_size: 1024,
    max_positions: 128,
    tied_embeddings: true,
    hook_types: ['residual', 'resid_mid', 'mlp', 'attention', 'z', 'mlp_input'],
    has_chat_template: false,
    layers: [
      { name: 'model.embed_tokens', kind: 'embedding', detail: '1024x128', params: 131_072 },
      { name: 'model.layers.0', kind: 'block', detail: '4 heads x 32', params: 180_000 },
    ],
    ...fields,
  };
}

export function makeActivation(fields: Partial<Activation> = {}): Activation {
  return {
    id: nextId(),
    model_id: nextId(),
    dataset_id: nextId(),
    tokenization_id: nextId(),
    model_name: 'glass-en',
    dataset_name: 'small-corpus',
    layers: [1, 2],
    hook_types: ['residual'],
    config: {},
    status: 'ready',
    progress: 100,
    n_tokens: 500_000,
    size_bytes: 128_000_000,
    error_message: null,
    metadata: null,
    created_at: TIME,
    job: null,
    ...fields,
  };
}

export function makePoint(fields: Partial<MetricPoint> = {}): MetricPoint {
  return {
    step: 10,
    loss: 0.5,
    sparsity: 32,
    reconstruction_error: 0.4,
    dead_neurons: 3,
    explained_variance: 0.6,
    learning_rate: 1e-3,
    grad_norm: 0.1,
    tokens_per_second: 90_000,
    gpu_utilization: null,
    memory_used_bytes: null,
    floor_share: null,
    timestamp: TIME,
    ...fields,
  };
}

export function makeEstimate(fields: Partial<Estimate> = {}): Estimate {
  return {
    device: 'cpu',
    resources: [
      {
        name: 'memory',
        needed_bytes: 700_000_000,
        reclaimable_bytes: 100_000_000,
        free_bytes: 8_000_000_000,
        limit_bytes: 9_000_000_000,
        parts: [{ name: 'weights', size_bytes: 600_000_000, reclaimable: false }],
      },
    ],
    time: { seconds: 125, tokens_per_second: 20_000, tokens: 2_500_000, source: 'measured' },
    fit: 'fits',
    limiter: 'memory',
    message: 'It fits.',
    proposal: null,
    ...fields,
  };
}

export function makeTraining(fields: Partial<Training> = {}): Training {
  return {
    id: nextId(),
    name: 'glass-en L1 residual',
    model_id: nextId(),
    dataset_id: nextId(),
    activation_id: nextId(),
    model_name: 'glass-en',
    dataset_name: 'small-corpus',
    layer: 1,
    hook_type: 'residual',
    target_hook_type: 'residual',
    encoder_type: 'sparse',
    hyperparameters: { activation: 'topk', k: 32, checkpoint_every: 500 },
    n_latents: 1024,
    status: 'training',
    current_step: 100,
    total_steps: 1000,
    progress: 10,
    error_message: null,
    latest_metrics: makePoint(),
    evaluation: null,
    n_checkpoints: 2,
    n_features: 0,
    shares_run: false,
    started_at: TIME,
    completed_at: null,
    created_at: TIME,
    updated_at: TIME,
    job: makeJob({ kind: 'training_run', resource_type: 'training', queue: 'training' }),
    ...fields,
  } as Training;
}

/** A dictionary that came from elsewhere. */
export function makeImported(fields: Partial<Training> = {}): Training {
  return makeTraining({
    name: 'gpt2-small-res-jb',
    source: 'imported',
    status: 'completed',
    latest_metrics: null,
    current_step: 0,
    total_steps: 0,
    n_checkpoints: 1,
    job: null,
    ...fields,
  });
}

export function makeParity(fields: Partial<ParityReport> = {}): ParityReport {
  return {
    n_tokens: 2048,
    max_latent_difference: 8.9e-15,
    max_latent: 20.7,
    active_sets_equal: true,
    l0: 31.4,
    fvu: 0.1234,
    fvu_source: 0.1235,
    explained_variance: 0.8766,
    measured_on: 'extraction',
    ...fields,
  };
}

export function progressEvent(
  trainingId: string,
  fields: Partial<TrainingProgress['data']> & { seq?: number } = {},
): TrainingProgress {
  const { seq = 1, ...data } = fields;
  return {
    type: 'training.progress',
    seq,
    timestamp: TIME,
    data: {
      training_id: trainingId,
      status: 'training',
      step: 200,
      total_steps: 1000,
      progress: 20,
      metrics: {},
      points: [{ ...makePoint({ step: 200, loss: 0.25 }) }],
      estimated_remaining_seconds: 12,
      ...data,
    },
  };
}

export function makeCheckpoint(fields: Partial<Checkpoint> = {}): Checkpoint {
  return {
    id: nextId(),
    training_id: nextId(),
    step: 500,
    loss: 0.31,
    file_path: 'checkpoints/a/step_500',
    file_size_bytes: 3_000_000,
    reason: 'interval',
    l0: null,
    explained_variance: null,
    quality_split: null,
    is_best: false,
    created_at: TIME,
    ...fields,
  };
}

export function makeSystemInfo(fields: Partial<SystemInfo> = {}): SystemInfo {
  return {
    version: '0.1.0',
    platform: 'Linux',
    python: '3.11.7',
    cpu_count: 2,
    cpu_name: 'Test CPU',
    device_name: 'Test CPU',
    gpu_info: [],
    memory_info: { total_bytes: 1, available_bytes: 1 },
    disk: { path: '/data', total_bytes: 1, free_bytes: 1 },
    packages: {},
    workers: {},
    ...fields,
  };
}

export function makeTrainingTemplate(fields: Partial<TrainingTemplate> = {}): TrainingTemplate {
  return {
    id: nextId(),
    name: 'Fast Prototyping',
    description: null,
    model_id: null,
    dataset_id: null,
    encoder_type: 'sparse',
    hyperparameters: { learning_rate: 3e-4, expansion_factor: 4, training_steps: 5_000 },
    is_favorite: false,
    created_at: TIME,
    updated_at: TIME,
    ...fields,
  };
}
