import { lazy, Suspense, useEffect, useState, type ComponentType } from 'react';
import { ErrorBoundary } from './components/common/ErrorBoundary';
import { Header } from './components/common/Header';
import { KeyHelp } from './components/common/KeyHelp';
import { Navigation } from './components/common/Navigation';
import { Palette } from './components/common/Palette';
import { Skeleton } from './components/common/Skeleton';
import { Toast } from './components/common/Toast';
import { RunningJobs } from './components/jobs/RunningJobs';
import { ConnectionState } from './components/system/ConnectionState';
import { useGlobalKeys } from './hooks/useGlobalKeys';
import { usePaletteItems } from './hooks/usePaletteItems';
import { useRealtime } from './hooks/useRealtime';
import { useActiveView } from './hooks/useUrlState';
import { useUiStore } from './stores/uiStore';
import type { View } from './utils/constants';

const PRELOAD_AFTER_MS = 1_500;

const load = {
  datasets: async () => (await import('./components/datasets/DatasetsPanel')).DatasetsPanel,
  models: async () => (await import('./components/models/ModelsPanel')).ModelsPanel,
  training: async () => (await import('./components/training/TrainingPanel')).TrainingPanel,
  features: async () => (await import('./components/features/FeaturesPanel')).FeaturesPanel,
  steering: async () => (await import('./components/steering/SteeringPanel')).SteeringPanel,
  jobs: async () => (await import('./components/jobs/JobsPanel')).JobsPanel,
  system: async () => (await import('./components/system/SystemPanel')).SystemPanel,
} satisfies Record<View, () => Promise<ComponentType>>;

const panel = (view: View) => lazy(async () => ({ default: await load[view]() }));

const PANELS: Record<View, ComponentType> = {
  datasets: panel('datasets'),
  models: panel('models'),
  training: panel('training'),
  features: panel('features'),
  steering: panel('steering'),
  jobs: panel('jobs'),
  system: panel('system'),
};

/** After the first screen the other tabs are fetched, so that a switch waits for no network. */
function usePreloadedPanels(): void {
  useEffect(() => {
    const timer = setTimeout(() => {
      for (const start of Object.values(load)) void start().catch(() => undefined);
    }, PRELOAD_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
}

export function App() {
  useRealtime();
  usePreloadedPanels();
  const [view, setView] = useActiveView();
  const [overlay, setOverlay] = useState<'keys' | 'palette' | null>(null);
  useGlobalKeys({ onHelp: () => setOverlay('keys'), onPalette: () => setOverlay('palette') });
  const Panel = PANELS[view];
  const close = () => setOverlay(null);
  return (
    <>
      <Header>
        <RunningJobs />
        <ConnectionState />
      </Header>
      <Navigation active={view} onChange={setView} />
      <main className={`mx-auto max-w-7xl px-6 pb-8 ${view === 'features' ? 'pt-4' : 'pt-8'}`}>
        <ErrorBoundary key={view}>
          <Suspense fallback={<PanelSkeleton />}>
            <Panel />
          </Suspense>
        </ErrorBoundary>
      </main>
      {overlay === 'keys' && <KeyHelp onClose={close} />}
      {overlay === 'palette' && <GoTo onClose={close} />}
      <Toasts />
    </>
  );
}

function GoTo({ onClose }: { onClose: () => void }) {
  return <Palette items={usePaletteItems()} onClose={onClose} />;
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
