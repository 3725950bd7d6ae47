import { lazy, Suspense, type ComponentType } from 'react';
import { ErrorBoundary } from './components/common/ErrorBoundary';
import { Header } from './components/common/Header';
import { Navigation } from './components/common/Navigation';
import { Skeleton } from './components/common/Skeleton';
import { Toast } from './components/common/Toast';
import { RunningJobs } from './components/jobs/RunningJobs';
import { ConnectionState } from './components/system/ConnectionState';
import { useRealtime } from './hooks/useRealtime';
import { useActiveTab } from './hooks/useUrlState';
import { useUiStore } from './stores/uiStore';
import type { Tab } from './utils/constants';

const PANELS: Record<Tab, ComponentType> = {
  datasets: lazy(async () => ({
    default: (await import('./components/datasets/DatasetsPanel')).DatasetsPanel,
  })),
  models: lazy(async () => ({
    default: (await import('./components/models/ModelsPanel')).ModelsPanel,
  })),
  training: lazy(async () => ({
    default: (await import('./components/training/TrainingPanel')).TrainingPanel,
  })),
  features: lazy(async () => ({
    default: (await import('./components/features/FeaturesPanel')).FeaturesPanel,
  })),
  steering: lazy(async () => ({
    default: (await import('./components/steering/SteeringPanel')).SteeringPanel,
  })),
};

export function App() {
  useRealtime();
  const [tab, setTab] = useActiveTab();
  const Panel = PANELS[tab];
  return (
    <>
      <Header>
        <RunningJobs />
        <ConnectionState />
      </Header>
      <Navigation active={tab} onChange={setTab} />
      <main className="mx-auto max-w-7xl px-6 py-8">
        <ErrorBoundary key={tab}>
          <Suspense fallback={<PanelSkeleton />}>
            <Panel />
          </Suspense>
        </ErrorBoundary>
      </main>
      <Toasts />
    </>
  );
}

function PanelSkeleton() {
  return (
    <div role="status" aria-label="Loading" className="space-y-6">
      <Skeleton className="h-14 w-72" />
      <Skeleton className="h-72" />
      <Skeleton className="h-40" />
    </div>
  );
}

function Toasts() {
  const toasts = useUiStore((state) => state.toasts);
  const dismiss = useUiStore((state) => state.dismissToast);
  return (
    <div
      role="status"
      aria-live="polite"
      className="fixed right-6 bottom-6 z-60 flex flex-col items-end gap-2"
    >
      {toasts.map(({ id, ...toast }) => (
        <Toast key={id} {...toast} onDismiss={() => dismiss(id)} />
      ))}
    </div>
  );
}
