import { useEffect, useEffectEvent } from 'react';
import { GO_KEYS } from '@/utils/shortcuts';
import { navigate } from '@/utils/urlState';
import { useKeys } from './useKeys';

const GO_ACTIONS = Object.fromEntries(
  Object.entries(GO_KEYS).map(([key, view]) => [`g ${key}`, () => navigate({ tab: view })]),
);

interface GlobalKeys {
  onHelp: () => void;
  onPalette: () => void;
}

/** The keys that work on every screen: `?`, Ctrl-K, and `g` with a letter. */
export function useGlobalKeys({ onHelp, onPalette }: GlobalKeys): void {
  useKeys({ '?': onHelp, ...GO_ACTIONS });
  const open = useEffectEvent(onPalette);

  useEffect(() => {
    const handleKeyDown = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      open();
    };
    document.addEventListener('keydown', handleKeyDown);
    return () => document.removeEventListener('keydown', handleKeyDown);
  }, []);
}
