import { create } from 'zustand';
import type { ConnectionStatus } from '@/types/system.types';

interface ConnectionStore {
  status: ConnectionStatus;
  /** Goes up with every reconnect: whoever shows server data fetches again. */
  reconnects: number;
  /** True when the socket has been away so long that lists are polled instead. */
  stale: boolean;
  setStatus: (status: ConnectionStatus, isReconnect: boolean) => void;
  setStale: () => void;
  /** Events were lost although the socket stayed: the same as after a reconnect. */
  markLost: () => void;
}

export const useConnectionStore = create<ConnectionStore>((set) => ({
  status: 'connecting',
  reconnects: 0,
  stale: false,
  setStatus: (status, isReconnect) =>
    set((state) => ({
      status,
      stale: status === 'connected' ? false : state.stale,
      reconnects: state.reconnects + (isReconnect ? 1 : 0),
    })),
  markLost: () => set((state) => ({ reconnects: state.reconnects + 1 })),
  setStale: () => set((state) => (state.status === 'connected' ? state : { stale: true })),
}));
