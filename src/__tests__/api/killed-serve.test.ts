/** `kill -9` of `wisp serve` in the middle of what changes something, and of what is not a session. */
import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { eventually } from '../helpers/eventually.ts';
import { execIn } from '../helpers/local-sprite.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { ApiClient } from './served-api.ts';
import { engineOf, type ServedProcess, startServe } from './served-process.ts';

const at = '/v1/sprites/demo';
const ECHO = "require('net').createServer((c) => c.pipe(c)).listen(7100, '127.0.0.1')";

interface Stream {
  /** What has come so far. */
  text(): string;
  /** `cut`: it ended without its end. */
  readonly ended: Promise<'whole' | 'cut'>;
  readonly status: Promise<number>;
}

function open(
  server: ServedProcess,
  method: string,
  path: string,
  { body, accept = '*/*' }: { body?: string; accept?: string } = {},
): Stream & { readonly write: (bytes: Buffer) => void } {
  const { hostname, port } = new URL(server.url);
  const headers = { Authorization: `Bearer ${server.token}`, Accept: accept };
  let text = '';
  const sent = request({ host: hostname, port, path, method, headers, agent: false });
  sent.on('error', () => undefined);
  const status = new Promise<number>((resolve) => {
    sent.once('response', (response) => resolve(response.statusCode ?? 0));
  });
  const ended = new Promise<'whole' | 'cut'>((resolve) => {
    sent.once('error', () => resolve('cut'));
    sent.once('response', (response) => {
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      response.once('end', () => resolve('whole'));
      response.once('error', () => resolve('cut'));
    });
  });
  if (body !== undefined) sent.end(body);
  return { text: () => text, ended, status, write: (bytes) => void sent.write(bytes) };
}

async function whole(server: ServedProcess, method: string, path: string, body?: unknown): Promise<string> {
  const stream = open(server, method, path, { body: body === undefined ? '' : JSON.stringify(body) });
  expect(await stream.ended).toBe('whole');
  return stream.text();
}

function connect(server: ServedProcess, path: string): ApiClient {
  return new ApiClient(server.url.replace('http', 'ws') + path, server.token);
}

/** Command lines on the host that name the state directory. */
function hostProcesses(home: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ');
      } catch {
        return ''; // It ended meanwhile.
      }
    })
    .filter((line) => line.includes(home) || line.includes('port-dialer'));
}

async function kill9(server: ServedProcess): Promise<void> {
  server.child.kill('SIGKILL');
  await server.ended;
}

/** With a sprite `demo`; servers that `run` leaves are killed. */
async function withSprite(
  run: (home: string, first: ServedProcess, next: () => Promise<ServedProcess>) => Promise<void>,
): Promise<void> {
  using dir = tempDir();
  const servers: ServedProcess[] = [];
  const start = async (): Promise<ServedProcess> => {
    const server = await startServe(dir.path);
    servers.push(server);
    return server;
  };
  try {
    const first = await start();
    await whole(first, 'POST', '/v1/sprites', { name: 'demo' });
    await run(dir.path, first, start);
  } finally {
    await Promise.all(servers.map(kill9));
    const engine = engineOf(dir.path);
    for (const { name } of await engine.list()) await engine.kill(name);
  }
}

describe('wisp serve, killed in the middle of', () => {
  test('a file that is written: the old one stays, whole, and no half of the new one is left', async () => {
    await withSprite(async (home, first, next) => {
      const engine = engineOf(home);
      await execIn(engine, 'demo', 'mkdir d; echo old > d/file');
      const upload = open(first, 'PUT', `${at}/fs/write?path=d/file`);
      upload.write(Buffer.alloc(3_000_000, 'x'));
      const inside = async () => (await execIn(engine, 'demo', 'du -s -B1 d | cut -f 1')).stdout;
      await eventually(async () => Number(await inside()) > 1_000_000, { timeoutMs: 20_000 });
      await kill9(first);
      expect(await upload.ended).toBe('cut');
      const second = await next();
      await eventually(async () => (await execIn(engine, 'demo', 'ls -A d')).stdout === 'file\n', {
        timeoutMs: 20_000,
        what: 'a directory without the half',
      });
      expect(await whole(second, 'GET', `${at}/fs/read?path=d/file`)).toBe('old\n');
    });
  }, 90_000);

  test('a checkpoint and a restore: it is there or it is not, and the next ones work', async () => {
    await withSprite(async (home, first, next) => {
      const engine = engineOf(home);
      await execIn(engine, 'demo', 'echo one > kept; head -c 100000000 /dev/urandom > large');
      await whole(first, 'POST', `${at}/checkpoint`, { comment: 'whole' });
      const made = open(first, 'POST', `${at}/checkpoint`, { body: '{}' });
      await eventually(() => made.text().includes('Creating'), { timeoutMs: 20_000 });
      await kill9(first);
      await made.ended;
      const second = await next();
      const ids = async (server: ServedProcess) => {
        const list = JSON.parse(await whole(server, 'GET', `${at}/checkpoints`)) as { id: string }[];
        return list.map(({ id }) => id);
      };
      expect([
        ['v1', 'Current'],
        ['v1', 'v2', 'Current'],
      ]).toContainEqual(await ids(second));
      await execIn(engine, 'demo', 'echo two > kept');
      const restoring = open(second, 'POST', `${at}/checkpoints/v1/restore`, { body: '' });
      await eventually(() => restoring.text().includes('Restoring'), { timeoutMs: 20_000 });
      await kill9(second);
      await restoring.ended;
      const third = await next();
      // Either state, whole, and it runs in it.
      expect(['one\n', 'two\n']).toContain(await whole(third, 'GET', `${at}/fs/read?path=kept`));
      expect(await whole(third, 'POST', `${at}/checkpoints/v1/restore`)).toContain('"complete"');
      expect(await whole(third, 'GET', `${at}/fs/read?path=kept`)).toBe('one\n');
      expect(await whole(third, 'POST', `${at}/checkpoint`, {})).toContain('"complete"');
    });
  }, 120_000);

  test('a tunnel, a service and watchers: both ends hear of it, and only what should goes on', async () => {
    await withSprite(async (home, first, next) => {
      const engine = engineOf(home);
      const service = open(first, 'PUT', `${at}/services/echo?duration=60s`, {
        body: JSON.stringify({ cmd: 'node', args: ['-e', ECHO] }),
      });
      const sprites = open(first, 'GET', '/v1/sprites', { accept: 'application/x-ndjson', body: '' });
      await eventually(() => sprites.text().includes('heartbeat'));
      await eventually(async () => (await engine.ports.list('demo')).length === 1, { timeoutMs: 20_000 });
      const tunnel = connect(first, `${at}/proxy`);
      await tunnel.opened;
      tunnel.sendJson({ host: 'localhost', port: 7100 });
      await eventually(() => tunnel.texts.length > 0, { timeoutMs: 20_000 });
      tunnel.ws.send(Buffer.from('there and back'));
      await eventually(() => tunnel.output() === 'there and back');
      expect(hostProcesses(home).some((line) => line.includes('port-dialer'))).toBe(true);
      await kill9(first);
      expect((await tunnel.closed).code).toBe(1006);
      expect(await Promise.all([service.ended, sprites.ended])).toEqual(['cut', 'cut']);
      await eventually(() => !hostProcesses(home).some((line) => line.includes('port-dialer')), {
        timeoutMs: 20_000,
        what: 'the end of the dialer',
      });
      const second = await next();
      expect(JSON.parse(await whole(second, 'GET', `${at}/services/echo`))).toMatchObject({
        state: { status: 'running', restart_count: 0 },
      });
      const again = connect(second, `${at}/proxy`);
      await again.opened;
      again.sendJson({ host: 'localhost', port: 7100 });
      await eventually(() => again.texts.length > 0, { timeoutMs: 20_000 });
      again.ws.send(Buffer.from('still there'));
      await eventually(() => again.output() === 'still there');
      again.ws.close();
    });
  }, 120_000);
});
