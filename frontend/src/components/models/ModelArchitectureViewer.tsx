import { ErrorBox } from '@/components/common/ErrorBox';
import { Modal } from '@/components/common/Modal';
import { Skeleton } from '@/components/common/Skeleton';
import { Tile } from '@/components/common/Tile';
import { useArchitecture } from '@/hooks/useModels';
import type { LanguageModel, ModelArchitecture } from '@/types/model.types';
import { formatCompact, formatDecimal, formatInteger } from '@/utils/format';
import { hookShortName } from '@/utils/hookNames';

interface ModelArchitectureViewerProps {
  model: LanguageModel;
  onClose: () => void;
}

/** What a model is made of, from the embedding to the output. */
export function ModelArchitectureViewer({ model, onClose }: ModelArchitectureViewerProps) {
  const { data, error, again } = useArchitecture(model.id);
  return (
    <Modal size="4xl" title={`${model.name} Architecture`} onClose={onClose}>
      {error && <ErrorBox problem={error} action={{ label: 'Try again', onClick: again }} />}
      {!data && !error && <Skeleton className="h-[60vh]" />}
      {data && <Architecture data={data} />}
    </Modal>
  );
}

function Architecture({ data }: { data: ModelArchitecture }) {
  return (
    <div className="space-y-6">
      <div className="grid grid-cols-2 gap-4 lg:grid-cols-4">
        <Tile label="Total Layers" value={formatInteger(data.n_layers)} tone="emerald" size="lg" />
        <Tile
          label="Hidden Dimension"
          value={formatInteger(data.d_model)}
          tone="purple"
          size="lg"
        />
        <Tile
          label="Attention Heads"
          value={formatInteger(data.n_heads)}
          note={
            data.n_kv_heads === data.n_heads ? undefined : `${data.n_kv_heads} for keys and values`
          }
          tone="blue"
          size="lg"
        />
        <Tile label="Parameters" value={formatCompact(data.params_count)} tone="yellow" size="lg" />
      </div>
      <section aria-labelledby="layers-heading">
        <h3 id="layers-heading" className="mb-3 text-lg font-semibold">
          Layers
        </h3>
        <ol className="space-y-2">
          {data.layers.map((layer, index) => (
            <li
              key={layer.name}
              className="flex items-center gap-4 rounded-lg bg-slate-800/30 px-4 py-3 text-sm"
            >
              <span className="w-8 shrink-0 text-right font-mono text-slate-400">{index + 1}</span>
              <div className="min-w-0 flex-1">
                <p className="truncate font-mono text-slate-100">{layer.name}</p>
                <p className="truncate text-slate-400">{layer.detail || layer.kind}</p>
              </div>
              <span className="shrink-0 text-slate-300 tabular-nums">
                {formatCompact(layer.params)} params
              </span>
            </li>
          ))}
        </ol>
      </section>
      <ConfigurationTable data={data} />
    </div>
  );
}

function ConfigurationTable({ data }: { data: ModelArchitecture }) {
  const rows = [
    ['Vocabulary size', formatInteger(data.vocab_size)],
    ['Max position', formatInteger(data.max_positions)],
    ['MLP width', formatInteger(data.d_mlp)],
    ['MLP ratio', `${formatDecimal(data.d_mlp / data.d_model, 2)}x`],
    ['Tied embeddings', data.tied_embeddings ? 'yes' : 'no'],
    ['Architecture', data.architecture],
    ['Family', data.family],
    ['Hook points', data.hook_types.map(hookShortName).join(', ')],
  ] as const;
  return (
    <section aria-labelledby="configuration-heading">
      <h3 id="configuration-heading" className="mb-3 text-lg font-semibold">
        Model Configuration
      </h3>
      <dl className="grid gap-x-8 gap-y-2 rounded-lg bg-slate-800/30 p-4 text-sm sm:grid-cols-2">
        {rows.map(([name, value]) => (
          <div key={name} className="flex justify-between gap-4">
            <dt className="text-slate-400">{name}</dt>
            <dd className="text-right font-mono break-words text-slate-100">{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
