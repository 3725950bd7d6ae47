interface ChartLegendProps {
  series: readonly { name: string; color: string }[];
}

/** Which colour is which line. */
export function ChartLegend({ series }: ChartLegendProps) {
  return (
    <ul className="mt-2 flex flex-wrap gap-x-4 gap-y-1 text-xs text-slate-300">
      {series.map((s) => (
        <li key={s.name} className="flex items-center gap-2">
          <span className="h-0.5 w-4" style={{ backgroundColor: s.color }} aria-hidden="true" />
          {s.name}
        </li>
      ))}
    </ul>
  );
}
