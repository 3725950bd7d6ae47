import { useState } from 'react';
import { Button } from '@/components/common/Button';
import { Segmented } from '@/components/common/Segmented';
import { ScatterCanvas } from '@/components/visualizations/ScatterCanvas';
import { type Area, countIn } from '@/components/visualizations/scatterLayout';
import { useUrlChoice } from '@/hooks/useUrlState';
import type { FeatureMap } from '@/types/feature.types';
import { formatDecimal, formatInteger, formatShare } from '@/utils/format';
import type { Range } from '../featureQuery';

const HEIGHT = 560;
const PLOTS = [
  { value: 'directions', label: 'Directions' },
  { value: 'density', label: 'Density × maximum' },
] as const;

interface MapChartProps {
  map: FeatureMap;
  onOpen: (id: number) => void;
  onRanges: (ranges: Range[]) => void;
}

/** The features as points: by the direction that they write, or by how often and how strongly. */
export function MapChart({ map, onOpen, onRanges }: MapChartProps) {
  const [plot, setPlot] = useUrlChoice('fplot', ['directions', 'density']);
  const [zoom, setZoom] = useState<Area | null>(null);
  const [area, setArea] = useState<Area | null>(null);
  const isMap = plot === 'directions';
  const xs = isMap ? map.x : map.frequency;
  const ys = isMap ? map.y : map.largest;
  const forget = () => {
    setZoom(null);
    setArea(null);
  };

  return (
    <div className="min-w-0 space-y-3">
      <div className="flex min-h-11 flex-wrap items-center justify-between gap-3">
        <Segmented
          label="Plot"
          options={PLOTS}
          value={plot}
          onChange={(next) => {
            forget();
            setPlot(next);
          }}
        />
        {area ? (
          <AreaActions
            count={countIn(xs, ys, area)}
            onShow={() => onRanges(toRanges(area, isMap))}
            onZoom={() => {
              setZoom(area);
              setArea(null);
            }}
            onClear={() => setArea(null)}
          />
        ) : (
          <p className="text-sm text-slate-400">
            Click a point to open it; drag a frame to choose points.{' '}
            {zoom && (
              <Button size="sm" onClick={forget}>
                Show all
              </Button>
            )}
          </p>
        )}
      </div>
      <div className="rounded-lg border border-slate-800 bg-slate-900/50 p-2">
        <ScatterCanvas
          label={`${formatInteger(map.ids.length)} features, ${isMap ? 'near each other where they write alike' : 'by frequency and largest activation'}`}
          {...{ xs, ys, zoom }}
          groups={map.cluster}
          kind={isMap ? 'linear' : 'log'}
          xLabel={
            isMap
              ? `Decoder directions in two dimensions (${map.layout ?? 'none'})`
              : 'Activation frequency (log)'
          }
          {...(isMap ? {} : { yLabel: 'Max activation (log)' })}
          height={HEIGHT}
          describe={(index) => <PointNote map={map} index={index} />}
          onOpen={(index) => {
            const id = map.ids[index];
            if (id !== undefined) onOpen(id);
          }}
          onArea={setArea}
        />
      </div>
      <p className="text-xs text-slate-400">
        Colours are the {formatInteger(map.nClusters)} clusters of directions; eight hues, so
        far-away clusters may share one.
      </p>
    </div>
  );
}

function toRanges({ x, y }: Area, isMap: boolean): Range[] {
  const across = isMap ? 'map_x' : 'activation_frequency';
  const up = isMap ? 'map_y' : 'max_activation';
  const range = (column: string, [from, to]: [number, number]) => ({
    column,
    from: Number(from.toPrecision(6)),
    to: Number(to.toPrecision(6)),
  });
  return [range(across, x), range(up, y)];
}

interface AreaActionsProps {
  count: number;
  onShow: () => void;
  onZoom: () => void;
  onClear: () => void;
}

function AreaActions({ count, onShow, onZoom, onClear }: AreaActionsProps) {
  return (
    <div role="group" aria-label="Chosen points" className="flex items-center gap-2">
      <span className="text-sm text-slate-300">{formatInteger(count)} chosen</span>
      <Button size="sm" variant="primary" disabled={count === 0} onClick={onShow}>
        Show in table
      </Button>
      <Button size="sm" disabled={count === 0} onClick={onZoom}>
        Zoom in
      </Button>
      <Button size="sm" variant="ghost" onClick={onClear}>
        Clear
      </Button>
    </div>
  );
}

function PointNote({ map, index }: { map: FeatureMap; index: number }) {
  const cluster = map.cluster[index] ?? -1;
  return (
    <>
      <p className="truncate font-medium text-slate-100">
        <span className="font-mono text-slate-400">#{map.neuronIndex[index]}</span>{' '}
        {map.nameAt(index) ?? 'No label'}
      </p>
      <p className="mt-1 tabular-nums">
        fires on {formatShare(map.frequency[index], 3)}, up to{' '}
        {formatDecimal(map.largest[index], 2)}
        {cluster >= 0 && ` · cluster ${cluster}`}
      </p>
    </>
  );
}
