import { expect, test } from 'bun:test';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { ApiSocket, CLOSE } from '../../api/api-socket.ts';

/** A connection of both ends, until `use` is done. */
async function connected(use: (socket: ApiSocket, client: WebSocket) => Promise<void>): Promise<void> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [ws] = (await once(server, 'connection')) as [WebSocket];
  const socket = new ApiSocket(ws, { stallMs: 10_000 });
  try {
    await use(socket, client);
  } finally {
    client.terminate();
    server.close();
  }
}

test('`close()` cuts a long reason to what a close frame holds, between characters', async () => {
  await connected(async (socket, client) => {
    const closed = once(client, 'close');
    await socket.close(CLOSE.internal, 'ü€😀'.repeat(60));
    const [code, reason] = (await closed) as [number, Buffer];
    expect(code).toBe(CLOSE.internal);
    expect(reason.toString()).toMatch(/^(ü€😀)+ü?€?$/);
    expect(reason.length).toBeGreaterThan(110);
  });
});
