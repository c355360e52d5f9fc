/** What `wisp serve` holds of 1 GiB for a client that reads it late, as the kernel counts it. */
import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { shellQuery } from './served-api.ts';
import { engineOf, type ServedProcess, startServe } from './served-process.ts';

const MEBIBYTE = 1024 * 1024;
const TOTAL = 1024 * MEBIBYTE;

/** Resident now and at most so far. */
function memoryOf(pid: number): { nowBytes: number; peakBytes: number } {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bytes = (field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(text)?.[1]) * 1024;
  return { nowBytes: bytes('VmRSS'), peakBytes: bytes('VmHWM') };
}

function create(server: ServedProcess, name: string): Promise<number> {
  const { hostname, port } = new URL(server.url);
  const headers = { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json' };
  return new Promise((resolve, reject) => {
    const options = { host: hostname, port, path: '/v1/sprites', method: 'POST', headers, agent: false };
    const sent = request(options, (response) => resolve(response.resume().statusCode ?? 0));
    sent.once('error', reject);
    sent.end(JSON.stringify({ name }));
  });
}

test.each(['bun', 'node'] as const)(
  'a gigabyte for a reader that is late is held back in the sprite, not in memory: %s',
  async (runtime) => {
    using dir = tempDir();
    const server = await startServe(dir.path, { runtime, args: ['--drain', '0'] });
    const engine = engineOf(dir.path);
    try {
      expect(await create(server, 'demo')).toBe(201);
      const before = memoryOf(server.child.pid ?? 0).nowBytes;
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
      const path = `/v1/sprites/demo/exec${shellQuery(`head -c ${TOTAL} /dev/zero`)}`;
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${server.token}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
      );
      const written = async () => (await engine.sessions('demo')).at(-1)?.stdout_bytes ?? 0;
      let last = -1;
      let same = 0;
      await eventually(
        async () => {
          const bytes = await written();
          same = bytes > 0 && bytes === last ? same + 1 : 0;
          last = bytes;
          return same >= 20;
        },
        { timeoutMs: 30_000, what: 'a command that is held back' },
      );
      expect(last).toBeLessThan(TOTAL / 4);
      let received = 0;
      socket.on('data', (chunk) => {
        received += chunk.length;
      });
      await eventually(() => received > TOTAL, { timeoutMs: 120_000, what: 'all of it' });
      expect(memoryOf(server.child.pid ?? 0).peakBytes - before).toBeLessThan(100 * MEBIBYTE);
      socket.destroy();
    } finally {
      for (const { name } of await engine.list()) await engine.kill(name);
      server.child.kill('SIGTERM');
      await server.ended;
    }
  },
  180_000,
);
