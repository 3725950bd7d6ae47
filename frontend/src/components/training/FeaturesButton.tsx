import { Sparkles } from 'lucide-react';
import { Button } from '@/components/common/Button';
import type { Training } from '@/types/training.types';
import { navigate } from '@/utils/urlState';

/** The way from a dictionary to its features. */
export function FeaturesButton({ training }: { training: Training }) {
  return (
    <Button
      variant="primary"
      icon={Sparkles}
      onClick={() => navigate({ tab: 'features', training: training.id })}
    >
      {training.n_features > 0 ? 'Browse Features' : 'Discover Features'}
    </Button>
  );
}
