export interface TooltipRow {
  name: string;
  value: string;
  color?: string;
}

interface ChartTooltipProps {
  /** Pixels from the chart's left edge. */
  x: number;
  chartWidth: number;
  title: string;
  rows: readonly TooltipRow[];
}

/** Values under the pointer; never takes the pointer itself. */
export function ChartTooltip({ x, chartWidth, title, rows }: ChartTooltipProps) {
  const isRight = x > chartWidth / 2;
  return (
    <div
      role="tooltip"
      className="pointer-events-none absolute top-2 z-10 rounded-md border border-slate-700 bg-slate-900/95 px-3 py-2 text-xs whitespace-nowrap text-slate-200 shadow-lg"
      style={isRight ? { right: chartWidth - x + 12 } : { left: x + 12 }}
    >
      <div className="mb-1 text-slate-400">{title}</div>
      {rows.map((row) => (
        <div key={row.name} className="flex items-center gap-2">
          {row.color && (
            <span className="size-2 rounded-full" style={{ backgroundColor: row.color }} />
          )}
          <span>{row.name}</span>
          <span className="ml-auto pl-3 font-mono">{row.value}</span>
        </div>
      ))}
    </div>
  );
}
