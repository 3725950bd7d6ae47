import { ErrorBox } from '@/components/common/ErrorBox';
import { InfoNote } from '@/components/common/InfoNote';
import { SkeletonList } from '@/components/common/Skeleton';
import { useLogitLens } from '@/hooks/useFeatures';
import { LensList } from '../LensList';

/** Which next tokens the feature's direction promotes and suppresses. */
export function LogitLensView({ featureId }: { featureId: number }) {
  const { value: lens, problem, refetch } = useLogitLens(featureId);
  if (problem) {
    return <ErrorBox problem={problem} action={{ label: 'Try again', onClick: refetch }} />;
  }
  if (!lens) {
    return (
      <div className="grid gap-3 md:grid-cols-2">
        <SkeletonList label="Loading logit lens" count={10} className="h-10" />
      </div>
    );
  }
  const largest = Math.max(0, ...[...lens.top, ...lens.bottom].map((t) => Math.abs(t.logit)));
  return (
    <div className="space-y-6">
      <div className="grid gap-8 md:grid-cols-2">
        <LensList title="Promoted tokens" tokens={lens.top} largest={largest} bar="bg-blue-500" />
        <LensList
          title="Suppressed tokens"
          tokens={lens.bottom}
          largest={largest}
          bar="bg-orange-400"
        />
      </div>
      <InfoNote>{lens.definition}</InfoNote>
    </div>
  );
}
