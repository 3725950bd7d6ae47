interface ChartEmptyProps {
  height: number;
  message: string;
}

/** Stands where a chart will be, at its height, so that nothing jumps when the data comes. */
export function ChartEmpty({ height, message }: ChartEmptyProps) {
  return (
    <div
      className="flex items-center justify-center rounded-lg border border-dashed border-slate-700 px-4 text-center text-sm text-slate-400"
      style={{ height }}
    >
      {message}
    </div>
  );
}
