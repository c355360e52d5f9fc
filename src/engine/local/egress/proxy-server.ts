/** The proxy itself: HTTP or SOCKS 5, told apart by the first byte, on whatever the caller listens. */
import { createServer, type Server, type Socket } from 'node:net';
import { ByteReader } from './byte-reader.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import { serveHttp } from './http-requests.ts';
import { SOCKS_VERSION, serveSocks } from './socks-requests.ts';

/** More than an agent's package manager opens at once; a sprite that opens more is slowed, not served. */
const MAX_CONNECTIONS = 512;

export function createProxy(gate: Gatekeeper): Server {
  const server = createServer(
    { allowHalfOpen: true, pauseOnConnect: true },
    (client) => void serve(client, gate),
  );
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

async function serve(client: Socket, gate: Gatekeeper): Promise<void> {
  client.on('error', () => client.destroy());
  const reader = new ByteReader(client);
  try {
    let first: number | undefined;
    await reader.take((bytes) => {
      first = bytes[0];
      return bytes.length > 0 ? 0 : null;
    });
    if (first === undefined) client.destroy();
    else if (first === SOCKS_VERSION) await serveSocks(client, reader, gate);
    else await serveHttp(client, reader, gate);
  } catch {
    // Whatever a client sends, it ends its own connection only.
    client.destroy();
  }
}
