import { useEffect, useEffectEvent } from 'react';

/** Whether what has the focus takes letters itself. */
function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches('input, textarea, select');
}

/**
 * Single keys anywhere on the page, by `KeyboardEvent.key`.
 *
 * They rest while a field has the focus, with a modifier held, and when something nearer to the
 * focus has dealt with the key.
 */
export function useKeys(actions: Readonly<Record<string, () => void>>, isOn = true): void {
  const act = useEffectEvent((event: KeyboardEvent) => {
    const action = actions[event.key];
    if (!action || event.defaultPrevented || isTyping(event.target)) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  });

  useEffect(() => {
    if (!isOn) return undefined;
    const handleKeyDown = (event: KeyboardEvent) => act(event);
    document.addEventListener('keydown', handleKeyDown);
    return () => document.removeEventListener('keydown', handleKeyDown);
  }, [isOn]);
}
