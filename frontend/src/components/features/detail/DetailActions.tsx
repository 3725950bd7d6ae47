import { ChevronLeft, ChevronRight, GitCompare, Star } from 'lucide-react';
import { IconButton } from '@/components/common/IconButton';
import type { FeatureRow } from '@/types/feature.types';

interface DetailActionsProps {
  row: FeatureRow | null;
  /** The features before and after it in the table; null at its ends. */
  previousId: number | null;
  nextId: number | null;
  onOpen: (id: number | null) => void;
  isCompared: boolean;
  onCompare: (row: FeatureRow) => void;
  onFavourite: (row: FeatureRow) => void;
}

/** The icons beside the title of an open feature. */
export function DetailActions(props: DetailActionsProps) {
  const { row, previousId, nextId, onOpen, isCompared, onCompare, onFavourite } = props;
  return (
    <>
      <IconButton
        label="Previous feature (k)"
        icon={ChevronLeft}
        disabled={previousId === null}
        onClick={() => onOpen(previousId)}
      />
      <IconButton
        label="Next feature (j)"
        icon={ChevronRight}
        disabled={nextId === null}
        onClick={() => onOpen(nextId)}
      />
      {row && (
        <>
          <IconButton
            label={isCompared ? 'Take out of the compare tray (c)' : 'Compare (c)'}
            aria-pressed={isCompared}
            icon={GitCompare}
            tone={isCompared ? 'emerald' : 'neutral'}
            onClick={() => onCompare(row)}
          />
          <IconButton
            label="Favourite (f)"
            aria-pressed={row.is_favorite}
            icon={Star}
            tone={row.is_favorite ? 'yellow' : 'neutral'}
            iconClassName={row.is_favorite ? 'fill-current' : ''}
            onClick={() => onFavourite(row)}
          />
        </>
      )}
    </>
  );
}
