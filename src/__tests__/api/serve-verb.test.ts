import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { dirname } from 'node:path';
import { eventually } from '../helpers/eventually.ts';
import { execIn } from '../helpers/local-sprite.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { runWisp } from '../wisp/run-wisp.ts';
import { BROKEN_FRAMES, closeCodeFor } from './broken-frames.ts';
import { type Answer, ApiClient, collect, shellQuery } from './served-api.ts';
import { engineOf, type ServedProcess, startServe } from './served-process.ts';

function ask(server: ServedProcess, path: string, method = 'GET', body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${server.token}`, 'Content-Type': 'application/json' };
    const { hostname, port } = new URL(server.url);
    const sent = request({ host: hostname, port, path, method, headers, agent: false }, (response) => {
      collect(response).then(resolve, reject);
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

function attach(server: ServedProcess, path: string): ApiClient {
  return new ApiClient(server.url.replace('http', 'ws') + path, server.token);
}

async function killSprites(home: string): Promise<void> {
  const engine = engineOf(home);
  for (const { name } of await engine.list()) await engine.kill(name);
}

const demo = JSON.stringify({ name: 'demo' });

describe('wisp serve', () => {
  test('says where it listens and which file has the token, and nothing secret anywhere else', async () => {
    using dir = tempDir();
    const server = await startServe(dir.path, { args: ['--verbose'] });
    expect(server.socket).toStartWith('/');
    expect(statSync(server.socket).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(server.socket)).mode & 0o077).toBe(0);
    expect(statSync(server.tokenFile).mode & 0o777).toBe(0o600);
    expect((await ask(server, '/v1/sprites')).status).toBe(200);
    expect(
      (await ask({ ...server, token: 'canary-of-a-token' }, '/v1/sprites?env=canary-of-a-value')).status,
    ).toBe(401);
    await eventually(() => server.stderr().includes('"status":401'));
    const shown = server.stderr() + readFileSync(`/proc/${server.child.pid}/cmdline`, 'utf8');
    for (const secret of [server.token, 'canary-of-a-token', 'canary-of-a-value'])
      expect(shown).not.toContain(secret);
    server.child.kill('SIGTERM');
    expect(await server.ended).toEqual({ code: 143, signal: null });
    expect(readdirSync(dirname(server.socket)).filter((name) => name.startsWith('api.sock'))).toEqual([]);
  });

  test('refuses to start twice, or to be reached from elsewhere unasked', async () => {
    using dir = tempDir();
    const server = await startServe(dir.path);
    const env = { ...process.env, WISP_HOME: dir.path } as Record<string, string>;
    const failure = async (...argv: string[]) => {
      const { exitCode, stdout } = await runWisp(['serve', '--json', ...argv], { env });
      return [exitCode, JSON.parse(stdout).error.code];
    };
    expect(await failure()).toEqual([5, 'CONFLICT']);
    expect(await failure('--listen', '0.0.0.0:0')).toEqual([2, 'USAGE']);
    expect(await failure('--listen', 'example.com:80')).toEqual([2, 'USAGE']);
    expect(await failure('--listen', '80')).toEqual([2, 'USAGE']);
    expect(await failure('--no-socket')).toEqual([2, 'USAGE']);
    expect(await failure('--token-file', 'x')).toEqual([2, 'USAGE']);
    expect(await failure('--socket', dir.join('other'), '--listen', new URL(server.url).host)).toEqual([
      5,
      'CONFLICT',
    ]);
    server.child.kill('SIGINT');
    expect((await server.ended).code).toBe(130);
  });

  test.each(['bun', 'node'] as const)(
    'ends what has no end, waits for what has one, and leaves sessions alone: %s',
    async (runtime) => {
      using dir = tempDir();
      const server = await startServe(dir.path, { runtime });
      expect((await ask(server, '/v1/sprites', 'POST', demo)).status).toBe(201);
      const watch = attach(server, '/v1/sprites/demo/ports/watch');
      const files = attach(server, '/v1/sprites/demo/fs/watch');
      const short = attach(server, `/v1/sprites/demo/exec${shellQuery('sleep 4; echo done')}`);
      const long = attach(
        server,
        `/v1/sprites/demo/exec${shellQuery('echo up; sleep 1000', { max_run_after_disconnect: '0' })}`,
      );
      await Promise.all([watch.opened, files.opened, short.opened]);
      await eventually(() => long.output(1) === 'up\n');
      for (const [name, bytes, code] of BROKEN_FRAMES) {
        expect([name, await closeCodeFor(server, '/v1/sprites/demo/exec?cmd=sleep&cmd=1', bytes)]).toEqual([
          name,
          code,
        ]);
      }
      server.child.kill('SIGTERM');
      expect((await watch.closed).code).toBe(1001);
      expect((await files.closed).code).toBe(1001);
      expect(short.exitFrames).toEqual([]);
      await short.closed;
      expect([short.output(1), short.exitFrames]).toEqual(['done\n', [0]]);
      await expect(ask(server, '/v1/sprites')).rejects.toThrow();
      expect((await long.closed).code).toBe(1001);
      expect((await server.ended).code).toBe(143);
      const next = await startServe(dir.path, { runtime, args: ['--drain', '0'] });
      const back = attach(next, `/v1/sprites/demo/exec/${long.sessionId}`);
      await eventually(() => back.output(1) === 'up\n');
      next.child.kill('SIGTERM');
      await next.ended;
      await killSprites(dir.path);
    },
  );

  test('killed in the middle of every kind of stream loses nothing that the next one cannot go on with', async () => {
    using dir = tempDir();
    const first = await startServe(dir.path);
    expect((await ask(first, '/v1/sprites', 'POST', demo)).status).toBe(201);
    const at = '/v1/sprites/demo';
    const counting = 'i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo $i; sleep 0.02; done; exit 6';
    const plain = attach(first, `${at}/exec${shellQuery(counting, { max_run_after_disconnect: '0' })}`);
    const terminal = attach(first, `${at}/exec${shellQuery('read line; echo "got $line"', { tty: 'true' })}`);
    const input = attach(first, `${at}/exec${shellQuery('cat > copy; wc -c < copy', { stdin: 'true' })}`);
    const watching = attach(first, `${at}/fs/watch`);
    const ports = attach(first, `${at}/ports/watch`);
    await Promise.all([terminal.opened, watching.opened, ports.opened, input.opened]);
    watching.sendJson({ type: 'subscribe', paths: ['.'], recursive: true });
    input.sendInput(Buffer.alloc(100_000));
    const others = [
      ask(first, `${at}/exec${shellQuery('yes')}`, 'POST'),
      ask(first, `${at}/fs/read?path=/dev/zero`),
    ].map((promise) =>
      promise.then(
        () => 'whole',
        () => 'cut',
      ),
    );
    await eventually(() => plain.output(1).length > 30);
    await eventually(() => terminal.texts.length > 0);
    first.child.kill('SIGKILL');
    await first.ended;
    for (const client of [plain, terminal, input, watching, ports]) {
      expect((await client.closed).code).toBe(1006);
      expect(client.exitFrames).toEqual([]);
    }
    expect(await Promise.all(others)).toEqual(['cut', 'cut']);

    const second = await startServe(dir.path);
    const seen = plain.output(1);
    const rest = attach(second, `${at}/exec/${plain.sessionId}?output_offset=${seen.length}`);
    await rest.opened;
    const again = attach(second, `${at}/exec/${terminal.sessionId}`);
    await again.opened;
    again.ws.send(Buffer.from('word\r'));
    expect((await again.closed).code).toBe(1000);
    expect(again.output()).toContain('got word');
    await rest.closed;
    const numbers = Array.from({ length: 300 }, (_, index) => `${index + 1}\n`).join('');
    expect(seen + rest.output(1)).toBe(numbers);
    expect(rest.exitFrames).toEqual([6]);
    // The limit of ten seconds counts from the new server's start.
    await eventually(
      async () => (await engineOf(dir.path).sessions('demo')).every(({ state }) => state !== 'running'),
      { timeoutMs: 20_000, what: 'the end of unattended sessions' },
    );
    expect(await commandLines(dir.path)).not.toMatch(/find|yes|zero|while read/);
    second.child.kill('SIGTERM');
    await second.ended;
    await killSprites(dir.path);
  }, 90_000);
});

/** The command lines of all that runs in the sprite. */
async function commandLines(home: string): Promise<string> {
  return (await execIn(engineOf(home), 'demo', 'cat /proc/[0-9]*/cmdline 2> /dev/null | tr "\\0" " "'))
    .stdout;
}
