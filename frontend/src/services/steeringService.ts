import type { JobAccepted, Problem } from '@/types/api.types';
import type {
  ExportFormat,
  Preset,
  PresetWrite,
  Replay,
  SavedRun,
  SavedRunDetail,
  SteeringGenerate,
  SteeringResult,
  Sweep,
  SweepListed,
  SweepRequest,
} from '@/types/steering.types';
import { ApiError, get, getPage, http, post, remove } from './api';

/** Generation on a slow processor takes longer than the client's usual patience. */
const TIMEOUT_MS = 600_000;
const PAGE = 20;
const SWEEPS_SHOWN = 10;

export const steeringService = {
  generate: (body: SteeringGenerate, signal?: AbortSignal) =>
    post<SteeringResult>('/steering/generate', body, { signal, timeout: TIMEOUT_MS }),
};

export const runService = {
  list: (page: number, signal?: AbortSignal) =>
    getPage<SavedRun>('/steering/runs', { page, limit: PAGE }, signal),
  get: (id: string, signal?: AbortSignal) =>
    get<SavedRunDetail>(`/steering/runs/${id}`, undefined, signal),
  remove: (id: string) => remove<SavedRun>(`/steering/runs/${id}`),
  /** Generates the texts again and says whether they are the same. */
  replay: (id: string) =>
    post<Replay>(`/steering/runs/${id}/replay`, undefined, { timeout: TIMEOUT_MS }),
  /** The file comes without the envelope; a refusal comes as any other, in the file's place. */
  export: async (id: string, format: ExportFormat): Promise<Blob> => {
    const { data, status } = await http.get<ArrayBuffer>(`/steering/runs/${id}/export`, {
      params: { format },
      responseType: 'arraybuffer',
      validateStatus: () => true,
    });
    if (status < 400) return new Blob([data]);
    const { error } = JSON.parse(new TextDecoder().decode(data)) as { error: Problem };
    throw new ApiError({ ...error, status });
  },
};

export const presetService = {
  list: (trainingId: string, signal?: AbortSignal) =>
    get<Preset[]>('/steering/presets', { training_id: trainingId }, signal),
  create: (body: PresetWrite) => post<Preset>('/steering/presets', body),
  replace: async (id: string, body: PresetWrite) => {
    const { data } = await http.put<{ data: Preset }>(`/steering/presets/${id}`, body);
    return data.data;
  },
  remove: (id: string) => remove<Preset>(`/steering/presets/${id}`),
};

export const sweepService = {
  start: (body: SweepRequest) => post<JobAccepted>('/steering/sweep', body),
  list: (signal?: AbortSignal) =>
    getPage<SweepListed>('/steering/sweeps', { limit: SWEEPS_SHOWN }, signal),
  get: (id: string, signal?: AbortSignal) =>
    get<Sweep>(`/steering/sweeps/${id}`, undefined, signal),
  remove: (id: string) => remove<SweepListed>(`/steering/sweeps/${id}`),
};
