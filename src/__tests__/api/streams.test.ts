import { describe, expect, test } from 'bun:test';
import { connect, type Socket } from 'node:net';
import { eventually } from '../helpers/eventually.ts';
import { newSprite, type ServedApi, servedApi, shellQuery } from './served-api.ts';
import { settled } from './settled.ts';

const MEBIBYTE = 1024 * 1024;

/** A client that reads nothing until it is told to. */
async function unread(api: ServedApi, request: string): Promise<Socket> {
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.pause();
  socket.write(
    request.replace('\r\n\r\n', `\r\nHost: localhost\r\nAuthorization: Bearer ${api.token}\r\n\r\n`),
  );
  return socket;
}

function written(api: ServedApi): Promise<number> {
  return api.engine.sessions('demo').then((sessions) => sessions.at(-1)?.stdout_bytes ?? 0);
}

describe('a reader that is slower than the command', () => {
  test('holds the command back, loses nothing, and costs no memory', async () => {
    await using api = await servedApi();
    const at = await newSprite(api);
    const total = 300 * MEBIBYTE;
    const before = process.memoryUsage().rss;
    const path = `${at}/exec${shellQuery(`head -c ${total} /dev/zero`)}`;
    const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
    const socket = await unread(
      api,
      `GET ${path} HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n\r\n`,
    );
    let bytes = 0;
    await eventually(async () => (await written(api)) > 0, { timeoutMs: 10_000 });
    let last = 0;
    let same = 0;
    await eventually(
      async () => {
        bytes = await written(api);
        same = bytes === last ? same + 1 : 0;
        last = bytes;
        return same > 20;
      },
      { timeoutMs: 20_000 },
    );
    expect(bytes).toBeLessThan(total / 2);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * MEBIBYTE);
    let received = 0;
    let peak = 0;
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.on('data', (chunk) => {
      received += chunk.length;
      peak = Math.max(peak, process.memoryUsage().rss);
    });
    socket.on('end', () => socket.end());
    socket.resume();
    await eventually(() => received > total, { timeoutMs: 40_000 });
    socket.destroy();
    await closed;
    expect(peak - before).toBeLessThan(200 * MEBIBYTE);
  }, 90_000);

  test('of a file or of HTTP exec holds it back as well', async () => {
    await using api = await servedApi();
    const at = await newSprite(api);
    await api.ask(`${at}/exec${shellQuery('truncate -s 200M large')}`, { method: 'POST' });
    const before = process.memoryUsage().rss;
    const file = await unread(api, `GET ${at}/fs/read?path=large HTTP/1.1\r\n\r\n`);
    const exec = await unread(
      api,
      `POST ${at}/exec${shellQuery('cat large')} HTTP/1.1\r\nContent-Length: 0\r\n\r\n`,
    );
    await eventually(async () => (await written(api)) > 0, { timeoutMs: 10_000 });
    expect(
      (await settled(() => Math.round(process.memoryUsage().rss / (64 * MEBIBYTE)))) * 64 * MEBIBYTE,
    ).toBeLessThan(before + 128 * MEBIBYTE);
    let received = 0;
    file.on('data', (chunk) => {
      received += chunk.length;
    });
    file.resume();
    await eventually(() => received > 200 * MEBIBYTE, { timeoutMs: 40_000 });
    for (const socket of [file, exec]) socket.destroy();
  }, 90_000);

  test('that takes nothing for too long is let go, and no longer counts as a client', async () => {
    await using api = await servedApi({ stallMs: 500 });
    const at = await newSprite(api);
    const query = shellQuery('yes', { max_run_after_disconnect: '100ms' });
    using client = api.connect(`${at}/exec${query}`);
    await client.opened;
    client.ws.pause();
    const state = async () => (await api.engine.sessions('demo')).at(-1)?.state;
    await eventually(async () => (await state()) === 'exited', { timeoutMs: 20_000 });
    expect(client.ws.readyState).toBe(client.ws.OPEN);
    client.ws.resume();
    await client.closed;
    expect(client.exitFrames).toEqual([]);
  });
});

test('a command that does not read its input holds the client back', async () => {
  await using api = await servedApi();
  const at = await newSprite(api);
  using client = api.connect(`${at}/exec${shellQuery('sleep 1000', { stdin: 'true' })}`);
  await client.opened;
  for (let count = 0; count < 32; count += 1) client.sendInput(Buffer.alloc(MEBIBYTE));
  expect(await settled(() => client.ws.bufferedAmount)).toBeGreaterThan(8 * MEBIBYTE);
  expect((await api.ask('/v1/sprites')).status).toBe(200);
});

test('fifty clients at once get what is theirs', async () => {
  await using api = await servedApi();
  const at = await newSprite(api);
  const results = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      using client = api.connect(
        `${at}/exec${shellQuery(`read line; echo "$line ${index}"; exit ${index}`, { stdin: 'true' })}`,
      );
      await client.opened;
      client.sendInput(`line of ${index}\n`);
      client.sendInputEnd();
      await client.closed;
      return [client.output(1), client.exitFrames[0]];
    }),
  );
  expect(results).toEqual(Array.from({ length: 50 }, (_, index) => [`line of ${index} ${index}\n`, index]));
}, 90_000);
