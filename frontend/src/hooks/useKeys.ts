import { useEffect, useEffectEvent } from 'react';

/** A first key waits this long for its second. */
const SEQUENCE_MS = 1_200;

/** The first key of a sequence such as `g f`; shared, so that no other list takes the second. */
let pending: { key: string; at: number } | null = null;

/** Whether what has the focus takes letters itself. */
function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches('input, textarea, select');
}

function isRefused(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || isTyping(event.target)) return true;
  return event.ctrlKey || event.metaKey || event.altKey;
}

function pendingKey(): string | null {
  return pending && Date.now() - pending.at < SEQUENCE_MS ? pending.key : null;
}

/**
 * Keys anywhere on the page, by `KeyboardEvent.key`; `g f` is `g`, then `f`.
 *
 * They rest while a field has the focus, with a modifier held, and when something nearer to the
 * focus has dealt with the key.
 */
export function useKeys(actions: Readonly<Record<string, () => void>>, isOn = true): void {
  const act = useEffectEvent((event: KeyboardEvent) => {
    if (isRefused(event)) return;
    const first = pendingKey();
    const name = first === null ? event.key : `${first} ${event.key}`;
    const action = actions[name];
    if (action) {
      pending = null;
      event.preventDefault();
      action();
    } else if (first !== null) {
      // After every listener has seen the key.
      setTimeout(() => (pending = null));
    } else if (startsSequence(actions, event.key)) {
      pending = { key: event.key, at: Date.now() };
    }
  });

  useEffect(() => {
    if (!isOn) return undefined;
    const handleKeyDown = (event: KeyboardEvent) => act(event);
    document.addEventListener('keydown', handleKeyDown);
    return () => document.removeEventListener('keydown', handleKeyDown);
  }, [isOn]);
}

function startsSequence(actions: Readonly<Record<string, unknown>>, key: string): boolean {
  return Object.keys(actions).some((name) => name.startsWith(`${key} `));
}
