import type { FeatureFigure } from '@/services/featureService';
import { formatDecimal, formatInteger, formatShare } from '@/utils/format';

/** A measured column of the feature table. */
export interface Figure {
  key: FeatureFigure;
  /** In the table's address. */
  id: string;
  label: string;
  /** Short enough for a column heading. */
  heading: string;
  format: (value: number | null | undefined) => string;
}

const share = (digits: number) => (value: number | null | undefined) => formatShare(value, digits);
const decimal = (digits: number) => (value: number | null | undefined) =>
  formatDecimal(value, digits);

/** All measured columns, in the order in which they are offered. */
export const FIGURES: readonly Figure[] = [
  {
    key: 'activation_frequency',
    id: 'frequency',
    label: 'Activation frequency',
    heading: 'Frequency',
    format: share(2),
  },
  {
    key: 'interpretability_score',
    id: 'score',
    label: 'Interpretability',
    heading: 'Interpret.',
    format: share(1),
  },
  {
    key: 'max_activation',
    id: 'max',
    label: 'Max activation',
    heading: 'Max act.',
    format: decimal(2),
  },
  {
    key: 'mean_activation',
    id: 'mean',
    label: 'Mean activation',
    heading: 'Mean act.',
    format: decimal(2),
  },
  {
    key: 'p99_activation',
    id: 'p99',
    label: '99th percentile',
    heading: 'p99 act.',
    format: decimal(2),
  },
  { key: 'n_fires', id: 'fires', label: 'Firings', heading: 'Firings', format: formatInteger },
  {
    key: 'token_rule',
    id: 'rule',
    label: 'Token rule',
    heading: 'Token rule',
    format: share(1),
  },
  { key: 'coherence', id: 'coherence', label: 'Coherence', heading: 'Coherence', format: share(1) },
  {
    key: 'token_concentration',
    id: 'concentration',
    label: 'Token concentration',
    heading: 'Concentr.',
    format: share(1),
  },
  {
    key: 'effective_tokens',
    id: 'tokens',
    label: 'Effective tokens',
    heading: 'Eff. tokens',
    format: decimal(1),
  },
  {
    key: 'token_entropy',
    id: 'entropy',
    label: 'Token entropy',
    heading: 'Entropy',
    format: decimal(2),
  },
  {
    key: 'context_shift',
    id: 'shift',
    label: 'Context shift',
    heading: 'Ctx. shift',
    format: share(1),
  },
  {
    key: 'logit_kurtosis',
    id: 'kurtosis',
    label: 'Logit kurtosis',
    heading: 'Kurtosis',
    format: decimal(1),
  },
  {
    key: 'nearest_cosine',
    id: 'nearest',
    label: 'Nearest cosine',
    heading: 'Nearest',
    format: decimal(2),
  },
  {
    key: 'max_jaccard',
    id: 'jaccard',
    label: 'Largest Jaccard',
    heading: 'Jaccard',
    format: decimal(2),
  },
  {
    key: 'encoder_decoder_cosine',
    id: 'encdec',
    label: 'Encoder–decoder cosine',
    heading: 'Enc–dec',
    format: decimal(2),
  },
  {
    key: 'output_score',
    id: 'output',
    label: 'Output score',
    heading: 'Steers',
    format: decimal(3),
  },
  { key: 'input_score', id: 'input', label: 'Input score', heading: 'Reads', format: share(1) },
];

/** The figure of a column's name; undefined for columns that are no measured figures. */
export function figureOf(key: string): Figure | undefined {
  return FIGURES.find((figure) => figure.key === key);
}
