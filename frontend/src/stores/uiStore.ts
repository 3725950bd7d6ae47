import { create } from 'zustand';

export type ToastKind = 'success' | 'error' | 'info';

export interface ToastMessage {
  id: number;
  kind: ToastKind;
  message: string;
  action?: { label: string; onClick: () => void };
}

interface UiStore {
  toasts: ToastMessage[];
  /** Shows a passing note; errors belong beside what caused them, not only here. */
  toast: (kind: ToastKind, message: string, action?: ToastMessage['action']) => number;
  dismissToast: (id: number) => void;
}

const MAX_TOASTS = 4;
let nextId = 1;

export const useUiStore = create<UiStore>((set) => ({
  toasts: [],
  toast: (kind, message, action) => {
    const id = nextId++;
    set((state) => ({
      toasts: [...state.toasts, { id, kind, message, action }].slice(-MAX_TOASTS),
    }));
    return id;
  },
  dismissToast: (id) =>
    set((state) => ({ toasts: state.toasts.filter((toast) => toast.id !== id) })),
}));

export const toast = (...args: Parameters<UiStore['toast']>) =>
  useUiStore.getState().toast(...args);
