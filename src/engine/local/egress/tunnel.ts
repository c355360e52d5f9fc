/** An admitted connection: checked by its first bytes, then carried both ways, with half-close. */
import { connect, type Socket } from 'node:net';
import type { ByteReader } from './byte-reader.ts';
import { serverNameOf } from './client-hello.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import { normaliseName } from './rules.ts';

const CONNECT_TIMEOUT_MS = 20_000;

export interface Upstream {
  readonly name: string;
  readonly address: string;
  readonly port: number;
}

/** Connects to the address that was checked, not to the name, which may lead elsewhere by now. */
function connectUpstream({ address, port }: Upstream): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port, allowHalfOpen: true });
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error('no answer in time')));
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

/** TLS to `upstream.name` and nothing else: the ClientHello must ask for it. Ends the client otherwise. */
export async function tunnelTls(
  client: Socket,
  reader: ByteReader,
  upstream: Upstream,
  gate: Gatekeeper,
): Promise<void> {
  const hello = await reader.take((bytes) =>
    serverNameOf(bytes).kind === 'incomplete' ? null : bytes.length,
  );
  const asked = hello === null ? { kind: 'none' as const } : serverNameOf(hello);
  const name = asked.kind === 'name' ? normaliseName(asked.name) : null;
  if (hello === null || name !== upstream.name) {
    const what =
      asked.kind === 'name'
        ? `its TLS asks for ${JSON.stringify(asked.name)}`
        : 'it speaks no TLS with a server name';
    if (hello !== null) gate.refuse(upstream.name, upstream.port, what);
    client.destroy();
    return;
  }
  await carry(client, hello, upstream, gate);
}

/** Sends `head`, then carries bytes until both sides have ended. */
export async function carry(
  client: Socket,
  head: Buffer,
  upstream: Upstream,
  gate: Gatekeeper,
): Promise<void> {
  let server: Socket;
  try {
    server = await connectUpstream(upstream);
  } catch {
    client.destroy();
    return;
  }
  // It left meanwhile: nothing would ever close this end.
  if (client.destroyed) {
    server.destroy();
    return;
  }
  const untrack = gate.track(upstream.name, () => {
    client.destroy();
    server.destroy();
  });
  server.write(head);
  client.pipe(server);
  server.pipe(client);
  const closed = (socket: Socket, other: Socket) =>
    new Promise<void>((resolve) => {
      socket.on('error', () => other.destroy());
      socket.once('close', (hadError) => {
        if (hadError) other.destroy();
        resolve();
      });
    });
  await Promise.all([closed(client, server), closed(server, client)]);
  untrack();
}
