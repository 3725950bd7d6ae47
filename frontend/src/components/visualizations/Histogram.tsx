import { useMemo, useState } from 'react';

import { ChartAxes } from './ChartAxes';
import { ChartEmpty } from './ChartEmpty';
import type { AxisKind } from './chartScales';
import { ChartTooltip } from './ChartTooltip';
import { layoutHistogram, type Bar, type Bin } from './histogramLayout';
import type { Margins } from './lineChartLayout';
import { formatValue } from './numbers';
import { useElementWidth } from './useElementWidth';

interface HistogramProps {
  bins: readonly Bin[];
  xLabel?: string;
  yLabel?: string;
  /** `log` for bins whose edges are spaced by a factor; those at or below 0 are left out. */
  xScale?: AxisKind;
  height?: number;
  color?: string;
  /** A value to mark with a line, such as that of the example being looked at. */
  marker?: { value: number; label: string } | undefined;
  emptyMessage?: string;
}

const MARGINS: Margins = { top: 12, right: 14, bottom: 40, left: 64 };

/** How often a quantity took which value. */
export function Histogram({
  bins,
  xLabel,
  yLabel = 'Tokens',
  xScale = 'log',
  height = 220,
  color = '#10b981',
  marker,
  emptyMessage = 'Nothing was counted',
}: HistogramProps) {
  const { ref, width } = useElementWidth<HTMLDivElement>();
  const [hovered, setHovered] = useState<Bar | null>(null);
  const layout = useMemo(
    () => layoutHistogram(bins, { width, height, margins: MARGINS, xScale }),
    [bins, width, height, xScale],
  );
  if (!layout) {
    return (
      <div ref={ref}>
        <ChartEmpty height={height} message={emptyMessage} />
      </div>
    );
  }
  const total = bins.reduce((sum, bin) => sum + bin.count, 0);
  return (
    <figure ref={ref} className="relative m-0 w-full min-w-0">
      <svg
        width={width}
        height={height}
        role="img"
        aria-label={describeBins(layout.bars, xLabel)}
        className="block"
        onPointerLeave={() => setHovered(null)}
      >
        <ChartAxes {...{ width, height, margins: MARGINS, xLabel, yLabel }} {...layout} />
        {layout.bars.map((bar) => (
          <g key={bar.from} onPointerEnter={() => setHovered(bar)}>
            <rect x={bar.x} y={bar.y} width={bar.width} height={bar.height} fill={color} />
            <rect
              x={bar.x}
              y={MARGINS.top}
              width={bar.width}
              height={height - MARGINS.top - MARGINS.bottom}
              fill={hovered === bar ? 'rgba(148,163,184,0.15)' : 'transparent'}
            />
          </g>
        ))}
        {marker && <Marker x={layout.x(marker.value)} label={marker.label} height={height} />}
      </svg>
      {hovered && (
        <ChartTooltip
          x={hovered.x}
          chartWidth={width}
          title={`${formatValue(hovered.from)} – ${formatValue(hovered.to)}`}
          rows={[
            { name: yLabel, value: formatValue(hovered.count) },
            { name: 'Share', value: `${((100 * hovered.count) / total).toFixed(2)} %` },
          ]}
        />
      )}
    </figure>
  );
}

function Marker({ x, label, height }: { x: number; label: string; height: number }) {
  return (
    <g className="fill-amber-300 stroke-amber-300" aria-hidden="true">
      <line x1={x} x2={x} y1={MARGINS.top} y2={height - MARGINS.bottom} strokeDasharray="4 3" />
      <text x={x - 4} y={MARGINS.top + 8} textAnchor="end" className="stroke-none text-[11px]">
        {label}
      </text>
    </g>
  );
}

function describeBins(bars: readonly Bar[], xLabel: string | undefined): string {
  const total = bars.reduce((sum, bar) => sum + bar.count, 0);
  const fullest = bars.reduce((best, bar) => (bar.count > best.count ? bar : best));
  const ends = [bars.at(0)?.from ?? 0, bars.at(-1)?.to ?? 0].map(formatValue).join(' to ');
  return (
    `Histogram${xLabel ? ` of ${xLabel}` : ''}: ${formatValue(total)} values from ${ends}, ` +
    `most of them between ${formatValue(fullest.from)} and ${formatValue(fullest.to)}`
  );
}
