import type { JobAccepted } from '@/types/api.types';
import type { FeatureExport, FeatureExportCreate } from '@/types/feature.types';
import { API_PREFIX, get, post } from './api';

export interface FeatureUpload {
  file: File;
  /** Also what was measured on a dictionary with other directions. */
  anyDictionary: boolean;
  /** Write nothing; the job's result says what an import would do. */
  dryRun: boolean;
}

/** Uploads take as long as the file is large. */
const NO_TIMEOUT = 0;

export const featureExchange = {
  /** Starts the job that writes a file; it is kept for a day. */
  start: (body: FeatureExportCreate) => post<JobAccepted>('/features/exports', body),

  /** The finished exports of a training, newest first, also those whose file is gone. */
  list: (trainingId: string, signal?: AbortSignal) =>
    get<FeatureExport[]>('/features/exports', { training_id: trainingId }, signal),

  /** Where the browser fetches a finished export. */
  fileUrl: (jobId: string) => `${API_PREFIX}/features/exports/${jobId}/file`,

  /** Sends an archive; the answer names the job that reads it. */
  upload: (trainingId: string, upload: FeatureUpload, onProgress: (percent: number) => void) => {
    const form = new FormData();
    form.append('training_id', trainingId);
    form.append('any_dictionary', String(upload.anyDictionary));
    form.append('dry_run', String(upload.dryRun));
    form.append('file', upload.file);
    return post<JobAccepted>('/features/upload', form, {
      timeout: NO_TIMEOUT,
      onUploadProgress: ({ progress }) => onProgress((progress ?? 0) * 100),
    });
  },
};
