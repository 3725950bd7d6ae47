import type { Margins, Tick } from './lineChartLayout';
import { formatTick } from './numbers';

interface ChartAxesProps {
  width: number;
  height: number;
  margins: Margins;
  xTicks: readonly Tick[];
  yTicks: readonly Tick[];
  xLabel?: string | undefined;
  yLabel?: string | undefined;
  formatX?: ((value: number) => string) | undefined;
  formatY?: ((value: number) => string) | undefined;
}

/** Grid lines, tick texts and axis names shared by all charts. */
export function ChartAxes({
  width,
  height,
  margins,
  xTicks,
  yTicks,
  xLabel,
  yLabel,
  formatX = formatTick,
  formatY = formatTick,
}: ChartAxesProps) {
  const bottom = height - margins.bottom;
  const right = width - margins.right;
  return (
    <g className="fill-slate-400 text-[11px]" aria-hidden="true">
      {yTicks.map((tick) => (
        <g key={tick.value}>
          <line
            x1={margins.left}
            x2={right}
            y1={tick.position}
            y2={tick.position}
            className="stroke-slate-800"
          />
          <text x={margins.left - 8} y={tick.position} dy="0.32em" textAnchor="end">
            {formatY(tick.value)}
          </text>
        </g>
      ))}
      <line x1={margins.left} x2={right} y1={bottom} y2={bottom} className="stroke-slate-700" />
      {xTicks.map((tick) => (
        <text key={tick.value} x={tick.position} y={bottom + 16} textAnchor="middle">
          {formatX(tick.value)}
        </text>
      ))}
      {xLabel && (
        <text x={(margins.left + right) / 2} y={height - 4} textAnchor="middle">
          {xLabel}
        </text>
      )}
      {yLabel && (
        <text
          transform={`translate(12 ${(margins.top + bottom) / 2}) rotate(-90)`}
          textAnchor="middle"
        >
          {yLabel}
        </text>
      )}
    </g>
  );
}
