import type { Socket } from 'socket.io-client';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { jobEvent, makeJob } from '@/test/factories';
import { Wire } from '@/test/wire';
import { RealtimeClient } from './websocket';

let wire: Wire;
let client: RealtimeClient;

beforeEach(() => {
  wire = new Wire();
  client = new RealtimeClient(() => wire as unknown as Socket);
  client.connect();
});

describe('rooms', () => {
  it('are joined for the first user and left after the last', () => {
    wire.open();
    const first = client.subscribe('jobs');
    const second = client.subscribe('jobs');
    first();
    first();
    expect(wire.sent).toEqual([['subscribe', { room: 'jobs' }]]);
    second();
    expect(wire.sent.at(-1)).toEqual(['unsubscribe', { room: 'jobs' }]);
  });

  it('wanted before the connection are joined with it, and again after a loss', () => {
    client.subscribe('training:1');
    expect(wire.sent).toEqual([]);
    wire.open();
    wire.close();
    wire.open();
    expect(wire.sent).toEqual([
      ['subscribe', { room: 'training:1' }],
      ['subscribe', { room: 'training:1' }],
    ]);
  });

  it('of a text are joined with the place from which it is still missing', () => {
    let last = -1;
    wire.open();
    const leave = client.subscribe('job:1', () => last);
    last = 41;
    wire.close();
    wire.open();
    leave();
    expect(wire.sent).toEqual([
      ['subscribe', { room: 'job:1', after: -1 }],
      ['subscribe', { room: 'job:1', after: 41 }],
      ['unsubscribe', { room: 'job:1' }],
    ]);
  });
});

describe('status', () => {
  it('tells a reconnect from the first connection', () => {
    const told = vi.fn();
    const stop = client.onStatus(told);
    wire.open();
    wire.close();
    wire.open();
    stop();
    wire.close();
    expect(told.mock.calls).toEqual([
      ['connected', false],
      ['away', false],
      ['connected', true],
    ]);
    expect(client.status).toBe('away');
  });

  it('connects once', () => {
    client.connect();
    client.disconnect();
    expect(wire.connected).toBe(false);
  });
});

describe('events', () => {
  it('reach the handlers of their name until they leave', () => {
    const handler = vi.fn();
    const stop = client.on('job.updated', handler);
    const event = jobEvent(makeJob());
    wire.receive('job.updated', event);
    wire.receive('training.progress', {});
    stop();
    wire.receive('job.updated', event);
    expect(handler).toHaveBeenCalledExactlyOnceWith(event);
  });
});
