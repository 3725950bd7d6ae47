import { presetService, runService } from '@/services/steeringService';
import { useSteeringStore } from '@/stores/steeringStore';
import { toast } from '@/stores/uiStore';
import type {
  ExportFormat,
  Preset,
  PresetWrite,
  SavedRun,
  SavedRunDetail,
} from '@/types/steering.types';
import { saveBlob } from '@/utils/files';
import { useAction } from './useAction';
import { useRequest } from './useRequest';
import { useUrlState } from './useUrlState';

/** The run that the address names, handed over when it is not the one that is shown. */
export function useOpenedRun(onFound: (run: SavedRunDetail) => void) {
  const [id] = useUrlState('run', 'replace');
  const shown = useSteeringStore((state) => state.run.result?.job_id ?? null);
  const isBusy = useSteeringStore((state) => state.run.state === 'running');
  return useRequest(id !== null && id !== shown && !isBusy ? id : null, async (signal) => {
    const run = await runService.get(id ?? '', signal);
    onFound(run);
    return run;
  });
}

/** A page of the saved runs; read again whenever a comparison ended. */
export function useSavedRuns(page: number) {
  const newest = useSteeringStore((state) => state.run.result?.job_id ?? '');
  const list = useRequest(`runs/${page}/${newest}`, (signal) => runService.list(page, signal));
  const remove = useAction(async (run: SavedRun) => {
    await runService.remove(run.id);
    list.again();
    toast('info', 'Run deleted');
  });
  return { ...list, remove };
}

/** Saves a run as a file; a format that cannot say what the run did is refused with a reason. */
export function useRunExport(id: string) {
  return useAction(async (format: ExportFormat) => {
    const blob = await runService.export(id, format);
    saveBlob(`steering-${id.slice(0, 8)}.${format === 'python' ? 'py' : format}`, blob);
  });
}

/** The presets of a training with what can be done to them. */
export function usePresets(trainingId: string | null) {
  const list = useRequest(trainingId && `presets/${trainingId}`, (signal) =>
    presetService.list(trainingId ?? '', signal),
  );
  const save = useAction(async (body: PresetWrite) => {
    await presetService.create(body);
    list.again();
  });
  const change = useAction(async (preset: Preset, changes: Partial<PresetWrite>) => {
    await presetService.replace(preset.id, { ...writable(preset), ...changes });
    list.again();
  });
  const remove = useAction(async (preset: Preset) => {
    await presetService.remove(preset.id);
    list.again();
    toast('info', `“${preset.name}” deleted`);
  });
  return {
    items: list.data,
    problem: save.error ?? change.error ?? remove.error ?? list.error,
    save,
    change,
    remove,
  };
}

function writable(preset: Preset): PresetWrite {
  const { training_id, name, description, features, temperature, is_favorite } = preset;
  const { condition, mode, settings } = preset;
  const layer = preset.intervention_layer;
  return {
    training_id,
    name,
    description,
    features,
    intervention_layer: layer,
    temperature,
    condition,
    mode,
    settings,
    is_favorite,
  };
}
