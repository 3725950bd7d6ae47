import { type RefObject, useEffect } from 'react';

const FOCUSABLE =
  'a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), ' +
  'textarea:not(:disabled), [tabindex]:not([tabindex="-1"])';

/** In document order, which `querySelectorAll` of a selector list does not keep everywhere (jsdom). */
function focusStops(element: HTMLElement): HTMLElement[] {
  return [...element.querySelectorAll<HTMLElement>('*')].filter((one) => one.matches(FOCUSABLE));
}

/** Keeps Tab inside the element while mounted and gives the focus back afterwards. */
export function useFocusTrap(container: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const before = document.activeElement;
    const element = container.current;
    if (!element) return undefined;
    element.focus();

    const handleKeyDown = (event: KeyboardEvent) => {
      if (event.key !== 'Tab') return;
      const stops = focusStops(element);
      const first = stops[0];
      const last = stops.at(-1);
      const active = document.activeElement;
      const leavesBack = event.shiftKey && (active === first || active === element);
      const leavesForward = !event.shiftKey && active === last;
      if (!first || leavesBack || leavesForward) event.preventDefault();
      if (leavesBack) last?.focus();
      if (leavesForward) first?.focus();
    };

    element.addEventListener('keydown', handleKeyDown);
    return () => {
      element.removeEventListener('keydown', handleKeyDown);
      if (before instanceof HTMLElement) before.focus();
    };
  }, [container]);
}
