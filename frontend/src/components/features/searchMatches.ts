import type { SearchMatch } from '@/types/feature.types';
import { formatDecimal, formatShare } from '@/utils/format';
import { quotedToken } from '../visualizations/tokenText';

/** Why a feature is among the hits, in a few words. */
export function describeMatch({ where, text, weight }: SearchMatch): string {
  switch (where) {
    case 'fires_on':
      return `fires on “${quotedToken(text)}”${weight === null ? '' : ` ${formatShare(weight, 0)}`}`;
    case 'promotes':
      return `promotes “${quotedToken(text)}”${weight === null ? '' : ` +${formatDecimal(weight, 1)}`}`;
    case 'fires_on_text':
      return `fires here on “${quotedToken(text)}”${weight === null ? '' : ` ${formatShare(weight, 0)}`}`;
    case 'similar':
      return `similar to “${text}”`;
    case 'name':
    case 'label':
      return 'label';
    case 'description':
      return `description: “${text}”`;
  }
}
