import { formatSignificant } from '@/utils/format';
import { figureOf } from './featureFigures';
import type { Range } from './featureQuery';

const OTHERS: Readonly<Record<string, string>> = {
  neuron_index: 'feature number',
  cluster: 'cluster',
  map_x: 'map, across',
  map_y: 'map, up',
};

/** Name of a range's column, for the middle of a sentence. */
export function rangeName({ column }: Pick<Range, 'column'>): string {
  return figureOf(column)?.label.toLowerCase() ?? OTHERS[column] ?? column;
}

/** `max activation from 2 to 5`, `firings up to 10`. */
export function describeRange(range: Range): string {
  const format = figureOf(range.column)?.format ?? formatSignificant;
  const { from, to } = range;
  const name = rangeName(range);
  if (from !== null && from === to) return `${name} ${format(from)}`;
  if (from === null) return `${name} up to ${format(to)}`;
  if (to === null) return `${name} from ${format(from)}`;
  return `${name} ${format(from)} – ${format(to)}`;
}
