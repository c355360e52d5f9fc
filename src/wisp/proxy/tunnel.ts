/**
 * A port of this machine that leads into a sprite. Each connection to it becomes one from the sprite's own
 * network, which wakes the sprite and keeps it awake for as long as it is open; the listening port itself does
 * neither. Either direction may end before the other.
 */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { PortOps } from '../../engine/engine.ts';
import { errnoOf, toWreckitError, WreckitError } from '../../errors.ts';
import type { PortPair } from './port-pair.ts';

const LOOPBACK = '127.0.0.1';

export interface TunnelOptions {
  readonly ports: PortOps;
  readonly sprite: string;
  readonly pair: PortPair;
  readonly signal: AbortSignal;
  /** A connection that came to nothing; the tunnel goes on. */
  readonly onProblem: (text: string) => void;
}

export interface OpenTunnel extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
}

/** Throws `CONFLICT` when the port is taken. */
export async function openTunnel(options: TunnelOptions): Promise<OpenTunnel> {
  const { pair, sprite } = options;
  const clients = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) => {
    clients.add(client);
    client.once('close', () => clients.delete(client));
    // Whoever carries its bytes hears of it; until then it is just gone.
    client.on('error', () => client.destroy());
    void serve(client, options);
  });
  try {
    server.listen(pair.local, LOOPBACK);
    await once(server, 'listening');
  } catch (thrown) {
    throw await refusal(thrown, pair, sprite);
  }
  return {
    address: LOOPBACK,
    port: portOf(server),
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      // Not an end: what was under way is cut off.
      for (const client of clients) client.resetAndDestroy();
      await closed;
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function serve(
  client: Socket,
  { ports, sprite, pair, signal, onProblem }: TunnelOptions,
): Promise<void> {
  const gone = new AbortController();
  client.once('close', () => gone.abort());
  try {
    const target = { host: 'localhost', port: pair.remote };
    const stream = await ports.connect(sprite, target, { signal: AbortSignal.any([signal, gone.signal]) });
    carry(client, stream);
  } catch (thrown) {
    if (!signal.aborted && !gone.signal.aborted) {
      onProblem(`port ${pair.remote} of ${sprite}: ${toWreckitError(thrown).message}`);
    }
    // An end without a byte would look like an answer.
    client.resetAndDestroy();
  }
}

function carry(client: Socket, stream: Duplex): void {
  client.pipe(stream);
  stream.pipe(client);
  // What broke on one side must not look like a proper end on the other.
  stream.on('error', () => client.resetAndDestroy());
  client.once('close', () => stream.destroy());
  stream.once('close', () => {
    if (!client.writableEnded) client.destroy();
  });
}

async function refusal(thrown: unknown, { local, remote }: PortPair, sprite: string): Promise<unknown> {
  const errno = errnoOf(thrown);
  if (errno === 'EADDRINUSE') {
    const { holderOf } = await import('./port-holder.ts');
    const holder = holderOf(local);
    const by = holder === null ? '' : `: ${holder.program} (process ${holder.pid}) listens there`;
    return new WreckitError('CONFLICT', `proxy: port ${local} of this machine is taken${by}`, {
      hint: `take any that is free: wisp proxy ${sprite} 0:${remote}`,
      details: { errno, port: local, pid: holder?.pid ?? null },
    });
  }
  if (errno === 'EACCES') {
    return new WreckitError('CONFLICT', `proxy: port ${local} of this machine is not yours to open`, {
      hint: `ports below 1024 are for root; take any that is free: wisp proxy ${sprite} 0:${remote}`,
      details: { errno, port: local },
    });
  }
  return thrown;
}
