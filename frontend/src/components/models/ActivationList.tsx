import { ErrorBox } from '@/components/common/ErrorBox';
import type { Problem } from '@/types/api.types';
import type { Activation } from '@/types/model.types';
import { ActivationCard } from './ActivationCard';

interface ActivationListProps {
  items: readonly Activation[] | null;
  problem: Problem | null;
  onRetry: () => void;
}

/** The stored activations that trainings read from; hidden until there is one. */
export function ActivationList({ items, problem, onRetry }: ActivationListProps) {
  if (!problem && !items?.length) return null;
  return (
    <section aria-labelledby="activations-heading" className="mt-8">
      <h3 id="activations-heading" className="mb-4 text-lg font-semibold">
        Activation Stores{items && ` (${items.length})`}
      </h3>
      {problem && <ErrorBox problem={problem} action={{ label: 'Try again', onClick: onRetry }} />}
      <div className="space-y-4">
        {items?.map((item) => (
          <ActivationCard key={item.id} activation={item} />
        ))}
      </div>
    </section>
  );
}
