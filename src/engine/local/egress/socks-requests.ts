/** The SOCKS 5 side of the proxy (RFC 1928): CONNECT to a name, for TLS; no authentication, no addresses, no UDP. */
import type { Socket } from 'node:net';
import { type ByteReader, exactly } from './byte-reader.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import { tunnelTls } from './tunnel.ts';

export const SOCKS_VERSION = 5;
const NO_AUTHENTICATION = 0;
const CONNECT = 1;
const NAME_ADDRESS = 3;
const ADDRESS_LENGTHS: Readonly<Record<number, number>> = { 1: 4, 4: 16 };

const REPLY = { ok: 0, notAllowed: 2, badCommand: 7 } as const;

export async function serveSocks(client: Socket, reader: ByteReader, gate: Gatekeeper): Promise<void> {
  const greeting = await reader.take((bytes) =>
    bytes.length >= 2 && bytes.length >= 2 + (bytes[1] ?? 0) ? 2 + (bytes[1] ?? 0) : null,
  );
  if (greeting === null) return close(client);
  if (!greeting.subarray(2).includes(NO_AUTHENTICATION)) {
    client.end(Buffer.from([SOCKS_VERSION, 0xff]));
    return;
  }
  client.write(Buffer.from([SOCKS_VERSION, NO_AUTHENTICATION]));
  const head = await reader.take(exactly(4));
  if (head === null) return close(client);
  const host = await readAddress(reader, head[3] ?? 0);
  const portBytes = host === null ? null : await reader.take(exactly(2));
  if (host === null || portBytes === null) return close(client);
  if (head[1] !== CONNECT) return reply(client, REPLY.badCommand);
  const port = portBytes.readUInt16BE(0);
  const admission = await gate.admit({ host, port }, [443]);
  if (!admission.isAllowed) return reply(client, REPLY.notAllowed);
  client.write(replyBytes(REPLY.ok));
  await tunnelTls(client, reader, { ...admission, port }, gate);
}

/** A raw address is given back as text: the gatekeeper refuses and logs it. */
async function readAddress(reader: ByteReader, type: number): Promise<string | null> {
  if (type === NAME_ADDRESS) {
    const length = await reader.take(exactly(1));
    const name = length === null ? null : await reader.take(exactly(length[0] ?? 0));
    return name?.toString('latin1') ?? null;
  }
  const length = ADDRESS_LENGTHS[type];
  const bytes = length === undefined ? null : await reader.take(exactly(length));
  if (bytes === null) return null;
  return type === 1 ? [...bytes].join('.') : `[${bytes.toString('hex')}]`;
}

function reply(client: Socket, code: number): void {
  client.end(replyBytes(code));
}

function replyBytes(code: number): Buffer {
  return Buffer.from([SOCKS_VERSION, code, 0, 1, 0, 0, 0, 0, 0, 0]);
}

function close(client: Socket): void {
  client.destroy();
}
