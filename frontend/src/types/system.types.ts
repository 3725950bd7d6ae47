import type { Schemas } from './api.types';

export type SystemInfo = Schemas['SystemInfo'];
export type Health = Schemas['Health'];
/** `away`: the socket is down; what the page shows may be out of date. */
export type ConnectionStatus = 'connecting' | 'connected' | 'away';
