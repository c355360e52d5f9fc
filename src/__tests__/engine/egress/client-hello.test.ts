import { expect, test } from 'bun:test';
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { serverNameOf } from '../../../engine/local/egress/client-hello.ts';

/** The first flight of a real TLS client. */
async function helloFor(servername: string | undefined): Promise<Buffer> {
  const server = net.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const accepted = once(server, 'connection');
  const client = tls.connect({
    host: '127.0.0.1',
    port,
    ...(servername === undefined ? {} : { servername }),
  });
  client.on('error', () => undefined);
  const [socket] = (await accepted) as [net.Socket];
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  client.destroy();
  server.close();
  return bytes;
}

/** The same handshake in records of at most `size` bytes. */
function fragmented(hello: Buffer, size: number): Buffer {
  const payload = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < payload.length; at += size) {
    const part = payload.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part);
  }
  return Buffer.concat(records);
}

test('serverNameOf() finds the name a real client asks for, also when it comes in pieces', async () => {
  const hello = await helloFor('api.example.com');
  const found = { kind: 'name', name: 'api.example.com' } as const;
  expect(serverNameOf(hello)).toEqual(found);
  expect(serverNameOf(fragmented(hello, 37))).toEqual(found);
  for (const length of [0, 1, 5, 6, 40, hello.length - 1]) {
    expect([length, serverNameOf(hello.subarray(0, length)).kind]).toEqual([length, 'incomplete']);
  }
});

test('serverNameOf() finds none in a hello without a name, in other protocols and in garbage', async () => {
  expect(serverNameOf(await helloFor(undefined)).kind).toBe('none');
  for (const text of ['GET / HTTP/1.1\r\n', 'SSH-2.0-x', '\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00']) {
    expect(serverNameOf(Buffer.from(text, 'latin1')).kind).toBe('none');
  }
  const lying = Buffer.from([22, 3, 1, 0, 10, 1, 0, 0, 6, 3, 3, 255, 255, 255, 255]);
  expect(serverNameOf(lying).kind).toBe('none');
});
