import type {
  ControlName,
  CoefficientUnit,
  SweepCriterion,
  SweepFigures,
  SweepRow,
  SweptFeature,
} from '@/types/steering.types';
import { formatDecimal, formatShare, formatSignificant } from '@/utils/format';
import type { Point } from '../visualizations/thinning';
import { UNIT_SCALES } from './coefficients';

export const CRITERION_LABELS: Record<SweepCriterion, string> = {
  balance: 'Concept and fluency',
  activation: 'Activation alone',
  promoted_share: 'Promoted tokens',
};

export const CONTROL_VIEWS: Record<ControlName, { label: string; help: string }> = {
  random_direction: {
    label: 'Random direction',
    help: 'Any direction of the same length: what steering changes anyway.',
  },
  matched_feature: {
    label: 'Matched feature',
    help: 'Another feature that fires about as often and as strongly.',
  },
  opposite: { label: 'Opposite sign', help: 'The same direction, turned round.' },
  prompt: { label: 'Asking in the prompt', help: 'No steering: the prompt asks for the words.' },
  diffmean: {
    label: 'Difference of means',
    help: 'Mean state where the feature fires minus mean state where it does not.',
  },
};

/** A figure of the sweep that can be drawn over the strength. */
export interface SweepMeasure {
  id: string;
  label: string;
  /** Key of its definition in the answer. */
  definition: string;
  color: string;
  of: (row: SweepRow) => number | null;
  format: (value: number) => string;
}

const digits = (count: number) => (value: number) => formatDecimal(value, count);
const share = (value: number) => formatShare(value);
const significant = (value: number) => formatSignificant(value, 3);

export const MEASURES = [
  {
    id: 'score',
    label: 'Score',
    definition: 'score',
    color: '#34d399',
    of: (row) => row.score,
    format: digits(3),
  },
  {
    id: 'kl',
    label: 'KL p95',
    definition: 'kl_p95',
    color: '#c084fc',
    of: (row) => row.figures.kl_p95,
    format: significant,
  },
  {
    id: 'perplexity',
    label: 'Perplexity',
    definition: 'perplexity',
    color: '#fb923c',
    of: (row) => row.figures.perplexity,
    format: significant,
  },
  {
    id: 'activation',
    label: 'Activation',
    definition: 'feature_activation',
    color: '#60a5fa',
    of: (row) => row.figures.activation,
    format: significant,
  },
  {
    id: 'repeated',
    label: 'Repetition',
    definition: 'repeated_3',
    color: '#fbbf24',
    of: (row) => row.figures.repeated_3,
    format: share,
  },
] as const satisfies readonly SweepMeasure[];
export type MeasureId = (typeof MEASURES)[number]['id'];

/** Where a row stands on the strength's axis: its own unit, or that of the activation. */
export function strengthOf(row: SweepRow, inActivations: boolean): number | null {
  if (inActivations) return row.is_unsteered ? 0 : row.activation_units;
  return row.strength;
}

/** Rows calibrated to KL targets are in activation units: with one of them, so is the axis. */
export function usesActivations(feature: SweptFeature): boolean {
  return (
    feature.rows.some((row) => row.kl_target !== null) &&
    feature.rows.every((row) => row.is_unsteered || row.activation_units !== null)
  );
}

/** The points of a measure over the strength, ascending; rows without a value are left out. */
export function sweepPoints(feature: SweptFeature, measure: SweepMeasure): Point[] {
  const inActivations = usesActivations(feature);
  return feature.rows
    .flatMap((row) => {
      const [x, y] = [strengthOf(row, inActivations), measure.of(row)];
      return x === null || y === null ? [] : [{ x, y }];
    })
    .sort((a, b) => a.x - b.x);
}

export function isBestRow(feature: SweptFeature, row: SweepRow): boolean {
  const { best } = feature;
  return (
    best !== null &&
    !row.is_unsteered &&
    row.strength === best.strength &&
    row.kl_target === best.kl_target
  );
}

/** Such as `1.50 × max`, with the target that a calibrated strength was found for. */
export function strengthText(
  strength: number | null,
  unit: CoefficientUnit,
  klTarget: number | null,
): string {
  if (strength === null) return 'none';
  const amount = `${formatDecimal(strength, 2)} ${UNIT_SCALES[unit].suffix}`;
  return klTarget === null ? amount : `${amount} (KL ${formatSignificant(klTarget)})`;
}

/** The columns of the table of strengths and controls. */
export const FIGURES: readonly {
  label: string;
  definition: string;
  of: (figures: SweepFigures) => string;
}[] = [
  { label: 'Activation', definition: 'feature_activation', of: (f) => significant(f.activation) },
  { label: 'KL p95', definition: 'kl_p95', of: (f) => significant(f.kl_p95) },
  { label: 'Perplexity', definition: 'perplexity', of: (f) => significant(f.perplexity) },
  { label: 'Promoted', definition: 'promoted_share', of: (f) => formatShare(f.promoted_share, 0) },
  { label: 'Distinct-2', definition: 'distinct_2', of: (f) => formatShare(f.distinct_2, 0) },
  { label: 'Repeated-3', definition: 'repeated_3', of: (f) => formatShare(f.repeated_3, 0) },
];
