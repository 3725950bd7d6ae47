import { useMemo, useState, type KeyboardEvent, type PointerEvent } from 'react';

import { ChartAxes } from './ChartAxes';
import { ChartEmpty } from './ChartEmpty';
import { ChartLegend } from './ChartLegend';
import type { AxisKind } from './chartScales';
import { ChartTooltip } from './ChartTooltip';
import { describeSeries, readingsAt, stepCursor } from './chartReadings';
import { layoutLineChart, type Margins, type Series } from './lineChartLayout';
import { formatTick, formatValue } from './numbers';
import { useElementWidth } from './useElementWidth';

interface LineChartProps {
  series: readonly Series[];
  xLabel?: string;
  yLabel?: string;
  /** Pixels; the width is that of the container. */
  height?: number;
  yScale?: AxisKind;
  formatX?: (value: number) => string;
  formatY?: (value: number) => string;
  emptyMessage?: string;
}

/**
 * Lines over a shared x axis.
 *
 * Hovering, or the arrow keys while the chart has the focus, reads the values. Series are thinned to
 * the pixel width before drawing.
 */
export function LineChart({
  series,
  xLabel,
  yLabel,
  height = 200,
  yScale = 'linear',
  formatX = formatTick,
  formatY = formatTick,
  emptyMessage = 'No data yet',
}: LineChartProps) {
  const { ref, width } = useElementWidth<HTMLDivElement>();
  const [cursor, setCursor] = useState<number | null>(null);
  const margins = useMemo(() => marginsFor(xLabel, yLabel), [xLabel, yLabel]);
  const layout = useMemo(
    () => layoutLineChart(series, { width, height, margins, yScale }),
    [series, width, height, margins, yScale],
  );
  const readings = layout && cursor !== null ? readingsAt(layout.drawn, cursor) : null;

  const handlePointerMove = (event: PointerEvent<SVGSVGElement>) => {
    const left = event.currentTarget.getBoundingClientRect().left;
    if (layout) setCursor(layout.x.invert(event.clientX - left));
  };
  const handleKeyDown = (event: KeyboardEvent) => {
    const next = layout && stepCursor(event.key, layout.drawn, cursor);
    if (next === null) return;
    event.preventDefault();
    setCursor(next);
  };

  return (
    <figure ref={ref} className="relative m-0 w-full min-w-0">
      {layout ? (
        <svg
          width={width}
          height={height}
          role="img"
          aria-label={describeSeries(series, xLabel, yLabel)}
          tabIndex={0}
          className="block rounded focus-visible:outline-2 focus-visible:outline-emerald-500"
          onPointerMove={handlePointerMove}
          onPointerLeave={() => setCursor(null)}
          onBlur={() => setCursor(null)}
          onKeyDown={handleKeyDown}
        >
          <ChartAxes
            {...{ width, height, margins, xLabel, yLabel, formatX, formatY }}
            {...layout}
          />
          {layout.drawn.map((s) => (
            <path
              key={s.name}
              d={s.path}
              fill="none"
              stroke={s.color}
              strokeWidth={1.5}
              strokeLinecap="round"
            />
          ))}
          {readings?.map((r) => (
            <circle key={r.name} cx={layout.x(r.x)} cy={layout.y(r.y)} r={3} fill={r.color} />
          ))}
        </svg>
      ) : (
        <ChartEmpty height={height} message={emptyMessage} />
      )}
      {layout && readings?.[0] && (
        <ChartTooltip
          x={layout.x(readings[0].x)}
          chartWidth={width}
          title={`${xLabel ?? 'x'} ${formatValue(readings[0].x)}`}
          rows={readings.map((r) => ({ name: r.name, color: r.color, value: formatValue(r.y) }))}
        />
      )}
      {series.length > 1 && <ChartLegend series={series} />}
    </figure>
  );
}

function marginsFor(xLabel: string | undefined, yLabel: string | undefined): Margins {
  return { top: 10, right: 14, bottom: xLabel ? 40 : 24, left: yLabel ? 64 : 48 };
}
