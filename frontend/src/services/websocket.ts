import { io, type Socket } from 'socket.io-client';
import type { EventName, Events } from '@/types/event.types';
import type { ConnectionStatus } from '@/types/system.types';

const PATH = '/ws/socket.io';

type Handler<N extends EventName> = (event: Events[N]) => void;
type AnyHandler = (event: never) => void;
type StatusListener = (status: ConnectionStatus, isReconnect: boolean) => void;

/**
 * The one socket of the page.
 *
 * Rooms are counted: the server hears `subscribe` for the first user of a room and `unsubscribe`
 * after the last. After a reconnect all rooms are joined again and listeners are told, because
 * events of the meantime are lost and must be fetched.
 */
export class RealtimeClient {
  private socket: Socket | null = null;
  private readonly rooms = new Map<string, number>();
  private readonly places = new Map<string, () => number>();
  private readonly handlers = new Map<string, Set<AnyHandler>>();
  private readonly listeners = new Set<StatusListener>();
  private wasConnected = false;
  private readonly open: () => Socket;

  status: ConnectionStatus = 'connecting';
  /** When the last event came, in milliseconds since the epoch. */
  heardAt = 0;

  constructor(open: () => Socket = openSocket) {
    this.open = open;
  }

  connect(): void {
    if (this.socket) return;
    this.socket = this.open();
    this.socket.on('connect', this.handleConnect);
    this.socket.on('disconnect', this.handleAway);
    this.socket.on('connect_error', this.handleAway);
    this.socket.onAny(this.handleEvent);
  }

  disconnect(): void {
    this.socket?.disconnect();
    this.socket = null;
  }

  /**
   * Joins a room; the returned function leaves it.
   *
   * With `place`, the index of the last token that is here (-1: none), the server sends what lies
   * behind it first, also after a lost connection.
   */
  subscribe(room: string, place?: () => number): () => void {
    const users = this.rooms.get(room) ?? 0;
    this.rooms.set(room, users + 1);
    if (place) this.places.set(room, place);
    if (users === 0) this.emit('subscribe', room);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.release(room);
    };
  }

  on<N extends EventName>(name: N, handler: Handler<N>): () => void {
    const known = this.handlers.get(name) ?? new Set();
    this.handlers.set(name, known.add(handler));
    return () => known.delete(handler);
  }

  onStatus(listener: StatusListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private release(room: string): void {
    const users = (this.rooms.get(room) ?? 1) - 1;
    if (users > 0) {
      this.rooms.set(room, users);
      return;
    }
    this.rooms.delete(room);
    this.places.delete(room);
    this.emit('unsubscribe', room);
  }

  private emit(action: 'subscribe' | 'unsubscribe', room: string): void {
    if (!this.socket?.connected) return;
    const after = action === 'subscribe' ? this.places.get(room)?.() : undefined;
    this.socket.emit(action, after === undefined ? { room } : { room, after });
  }

  private readonly handleConnect = () => {
    for (const room of this.rooms.keys()) this.emit('subscribe', room);
    const isReconnect = this.wasConnected;
    this.wasConnected = true;
    this.setStatus('connected', isReconnect);
  };

  private readonly handleAway = () => this.setStatus('away', false);

  private readonly handleEvent = (name: string, event: unknown) => {
    this.heardAt = Date.now();
    for (const handler of this.handlers.get(name) ?? []) handler(event as never);
  };

  private setStatus(status: ConnectionStatus, isReconnect: boolean): void {
    this.status = status;
    for (const listener of this.listeners) listener(status, isReconnect);
  }
}

function openSocket(): Socket {
  return io({
    path: PATH,
    transports: ['websocket'],
    reconnectionDelay: 300,
    reconnectionDelayMax: 1_500,
    // An attempt that hangs is given up, or the next one comes twenty seconds later.
    timeout: 2_500,
  });
}

export const realtime = new RealtimeClient();
