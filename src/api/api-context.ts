/** What every route works with: made once per server. */
import type { Network } from '../contract/schemas.ts';
import type { SpriteEngine } from '../engine/engine.ts';
import type { Logger } from '../logging.ts';
import type { SessionClients } from './exec/session-clients.ts';
import type { PortHub } from './port-hub.ts';
import type { SpriteWatch } from './sprite-watch.ts';

export interface ApiSettings {
  /** What answers say the sprites belong to. */
  readonly organization: string;
  /** Of sprites made through the API; the engine's default when absent. */
  readonly network?: Network | undefined;
  /** A reader that takes nothing for this long is let go. */
  readonly stallMs: number;
  /** An empty frame after this long without another: JavaScript clients give up after 45 s of silence. */
  readonly keepAliveMs: number;
}

export const DEFAULT_SETTINGS: ApiSettings = {
  organization: 'local',
  stallMs: 5 * 60_000,
  keepAliveMs: 15_000,
};

export interface ApiContext {
  readonly engine: SpriteEngine;
  readonly log: Logger;
  readonly settings: ApiSettings;
  readonly clients: SessionClients;
  readonly sprites: SpriteWatch;
  readonly ports: PortHub;
  /** Aborted when the server begins to end: what goes on for ever ends then. */
  readonly draining: AbortSignal;
  /** The API's description, made on first use. */
  readonly openapi: () => unknown;
}
