/** The socket's own surface, driven by hand. */
export class Wire {
  connected = false;
  sent: [string, unknown][] = [];
  private readonly listeners = new Map<string, (...args: unknown[]) => void>();
  private any: (name: string, event: unknown) => void = () => undefined;

  on(name: string, listener: (...args: unknown[]) => void) {
    this.listeners.set(name, listener);
  }
  onAny(listener: (name: string, event: unknown) => void) {
    this.any = listener;
  }
  emit(name: string, body: unknown) {
    this.sent.push([name, body]);
  }
  disconnect() {
    this.connected = false;
  }
  open() {
    this.connected = true;
    this.listeners.get('connect')?.();
  }
  close() {
    this.connected = false;
    this.listeners.get('disconnect')?.();
  }
  receive(name: string, event: unknown) {
    this.any(name, event);
  }
}
