const SUFFIXES: readonly [number, string][] = [
  [1e9, 'B'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/** A number short enough for an axis: `12.5k`, `0.003`, `1e-6`. */
export function formatTick(value: number): string {
  if (value === 0) return '0';
  const magnitude = Math.abs(value);
  if (magnitude < 1e-3) return value.toExponential(1).replace('.0e', 'e').replace('e+', 'e');
  for (const [size, suffix] of SUFFIXES) {
    if (magnitude >= size) return `${trimZeros((value / size).toPrecision(3))}${suffix}`;
  }
  return trimZeros(value.toPrecision(3));
}

/** A number for a tooltip or tile: four significant digits, thousands separated. */
export function formatValue(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en-US');
  const magnitude = Math.abs(value);
  if (magnitude < 1e-3) return value.toExponential(2);
  if (magnitude >= 1e4) return Math.round(value).toLocaleString('en-US');
  return trimZeros(value.toPrecision(4));
}

function trimZeros(text: string): string {
  if (text.includes('e')) return String(Number(text));
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
