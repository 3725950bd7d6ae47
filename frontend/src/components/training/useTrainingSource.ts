import { useUrlState } from '@/hooks/useUrlState';
import type { Dataset } from '@/types/dataset.types';
import type { Activation, LanguageModel } from '@/types/model.types';
import type { EncoderType } from '@/types/training.types';
import type { SourceChoice } from './trainingDraft';

interface Lists {
  datasets: readonly Dataset[] | null;
  models: readonly LanguageModel[] | null;
  activations: readonly Activation[] | null;
}

/** Places of one layer that a transcoder reads and writes; one store must hold both. */
const TRANSCODED = ['mlp_input', 'mlp'];

const isReady = (item: { status: string }) => item.status === 'ready';

/**
 * What a training reads: dataset, model, activation store, layer and hook type.
 *
 * Each choice falls back to the newest that fits the ones before it, so that a single store needs
 * no click; `?activation=` chooses all at once.
 */
export function useTrainingSource(
  { datasets, models, activations }: Lists,
  encoderType: EncoderType,
  chosen: SourceChoice,
  onChoose: (chosen: SourceChoice) => void,
) {
  const [linked, setLinked] = useUrlState('activation', 'replace');

  const isTranscoder = encoderType === 'transcoder';
  const ready = activations?.filter(isReady) ?? [];
  const stores = isTranscoder
    ? ready.filter(({ hook_types }) => TRANSCODED.every((type) => hook_types.includes(type)))
    : ready;
  const link = stores.find((store) => store.id === linked);
  const newest = stores[0] ?? ready[0];
  const readyDatasets = datasets?.filter(isReady) ?? [];
  const readyModels = models?.filter(isReady) ?? [];
  const datasetId =
    link?.dataset_id ?? (chosen.dataset || newest?.dataset_id) ?? readyDatasets[0]?.id ?? '';
  const modelId = link?.model_id ?? (chosen.model || newest?.model_id) ?? readyModels[0]?.id ?? '';
  const fitting = stores.filter(
    (store) => store.dataset_id === datasetId && store.model_id === modelId,
  );
  const store = link ?? fitting[0];
  const hookType = isTranscoder ? 'mlp_input' : (pick(store?.hook_types, chosen.hookType) ?? '');
  const layer = pick(store?.layers.map(String), chosen.layer) ?? '';

  const choose = (change: Partial<SourceChoice>) => onChoose({ ...chosen, ...change });
  return {
    datasets: readyDatasets,
    models: readyModels,
    model: models?.find((item) => item.id === modelId),
    width: widthOf(store, hookType),
    fitting,
    datasetId,
    modelId,
    store,
    layer,
    hookType,
    chooseDataset: (dataset: string) => {
      setLinked(null);
      choose({ dataset, model: modelId });
    },
    chooseModel: (model: string) => {
      setLinked(null);
      choose({ model, dataset: datasetId });
    },
    chooseStore: (id: string) => setLinked(id),
    chooseLayer: (value: string) => choose({ layer: value }),
    chooseHookType: (value: string) => choose({ hookType: value }),
  };
}

/** Numbers of a token at a place; heads together may be wider than the stream. */
function widthOf(store: Activation | undefined, hookType: string): number | null {
  const hooks: unknown = store?.metadata?.hooks;
  if (!Array.isArray(hooks)) return null;
  const hook = hooks.find(
    (item: unknown) =>
      typeof item === 'object' &&
      item !== null &&
      'hook_type' in item &&
      item.hook_type === hookType,
  ) as { d_model?: unknown } | undefined;
  return typeof hook?.d_model === 'number' ? hook.d_model : null;
}

function pick(offered: readonly string[] | undefined, wanted: string): string | undefined {
  return offered?.includes(wanted) ? wanted : offered?.[0];
}
