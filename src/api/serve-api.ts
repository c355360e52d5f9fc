/** A server that listens: on a unix socket, on TCP, or both. */
import { resolve } from 'node:path';
import type { Network } from '../contract/schemas.ts';
import type { SpriteEngine } from '../engine/engine.ts';
import { acquireLock, type HeldLock } from '../engine/local/lock.ts';
import { WreckitError } from '../errors.ts';
import type { Logger } from '../logging.ts';
import type { ApiSettings } from './api-context.ts';
import { createApi } from './create-api.ts';
import type { FaultRule } from './faults/fault-rule.ts';
import { isLoopback, type ListenAddress, listenOnSocket, listenOnTcp } from './listen.ts';
import { ensureSocketDir } from './socket-dir.ts';

export interface ServeOptions {
  readonly engine: SpriteEngine;
  readonly log: Logger;
  /** Null: none. */
  readonly socket: string | null;
  readonly tcp: TcpOptions | null;
  /** Of sprites made through the API. */
  readonly network?: Network | undefined;
  readonly settings?: Partial<ApiSettings>;
  /** What to answer wrongly, for tests of clients. */
  readonly faults?: readonly FaultRule[] | undefined;
}

export interface TcpOptions {
  readonly address: ListenAddress;
  readonly token: string;
  /** Names besides the address itself by which clients may call this server. */
  readonly hosts: readonly string[];
}

export interface Serving {
  readonly socket: string | null;
  readonly url: string | null;
  /** Takes no new connection, lets what runs end, at most for `drainMs`. Sessions go on. */
  end(drainMs?: number): Promise<void>;
}

/** Throws `CONFLICT` when another server listens there, `ENGINE_UNAVAILABLE`, `USAGE`. */
export async function serveApi(options: ServeOptions): Promise<Serving> {
  const { engine, log, network, faults } = options;
  const settings = { ...options.settings, network };
  const { server, clients } = createApi(engine, log, { settings, faults });
  const opened: Disposable[] = [];
  const close = (): void => {
    for (const place of opened.splice(0).reverse()) place[Symbol.dispose]();
  };
  try {
    const socket = options.socket === null ? null : resolve(options.socket);
    if (socket !== null) {
      ensureSocketDir(socket);
      opened.push(await lockOf(socket));
      const door = { token: null, hosts: null };
      opened.push(await listenOnSocket(server.createServer(door), socket));
    }
    const url = options.tcp === null ? null : await openTcp(options.tcp);
    clients.adopt().catch((error: unknown) => log.warn({ event: 'sessions_not_adopted', err: error }));
    const end = async (drainMs?: number): Promise<void> => {
      clients.dispose();
      await server.drain(drainMs);
      close();
    };
    return { socket, url, end };
  } catch (thrown) {
    await server.drain(0);
    close();
    throw thrown;
  }

  async function openTcp({ address, token, hosts }: TcpOptions): Promise<string> {
    const names = new Set([address.host, ...hosts].map((host) => host.toLowerCase()));
    if (isLoopback(address.host)) for (const name of ['localhost', '127.0.0.1', '::1']) names.add(name);
    const port = await listenOnTcp(server.createServer({ token, hosts: names }), address);
    return `http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${port}`;
  }
}

/** Held as long as the server lives; that of a dead server is taken over. */
async function lockOf(socket: string): Promise<HeldLock> {
  try {
    return await acquireLock(`${socket}.lock`, { what: `socket ${socket}`, waitMs: 0 });
  } catch (thrown) {
    if (!(thrown instanceof WreckitError) || thrown.code !== 'SPRITE_BUSY') throw thrown;
    const pid = thrown.details.holder;
    throw new WreckitError('CONFLICT', `socket ${socket}: another wisp serve listens there`, {
      hint: `use that one, end it (kill ${pid}), or give another place: --socket PATH`,
      details: { pid },
    });
  }
}
