/** What listens in a sprite, and TCP connections into it. */
import type { Duplex } from 'node:stream';
import type { Waiting } from './waiting.ts';

export interface ListeningPort {
  readonly port: number;
  /** As bound: `127.0.0.1`, `0.0.0.0`, `::1`, `::`. */
  readonly address: string;
  /** Inside the sprite; 0 when the process can't be told. */
  readonly pid: number;
}

export interface PortTarget {
  /** A name or address as the sprite sees it; `localhost` is tried on IPv4 and IPv6. */
  readonly host: string;
  readonly port: number;
}

/** Throws `SPRITE_NOT_FOUND`. Capability `ports`. */
export interface PortOps {
  /** Never wakes: in a sprite that sleeps nothing listens. Ordered by port, then address. */
  list(name: string, waiting?: Waiting): Promise<readonly ListeningPort[]>;
  /** The whole list at once, and anew within a second of every change, until `signal`. Never wakes. */
  watch(name: string, waiting: { readonly signal: AbortSignal }): AsyncIterable<readonly ListeningPort[]>;
  /**
   * Wakes the sprite and connects from its own network. Both directions end on their own (half-close).
   * Throws `CONFLICT` with `details.errno` (`ECONNREFUSED`, `EHOSTUNREACH`, `ENOTFOUND`, …), `TIMEOUT`.
   */
  connect(name: string, target: PortTarget, waiting?: Waiting): Promise<Duplex>;
}
