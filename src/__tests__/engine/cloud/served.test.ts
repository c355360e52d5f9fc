import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { parseApiUrl } from '../../../engine/cloud/api-target.ts';
import { CloudEngine } from '../../../engine/cloud/cloud-engine.ts';
import type { SessionHandle, SessionSpec } from '../../../engine/engine.ts';
import { type ServedProcess, startServe } from '../../api/served-process.ts';
import { wreckitErrorOf } from '../../helpers/error-of.ts';
import { eventually } from '../../helpers/eventually.ts';
import { type TempDir, tempDir } from '../../helpers/temp-dir.ts';

/** The cloud engine against the real `wisp serve` over TCP, with the real local engine behind it. */
let dir: TempDir;
let served: ServedProcess;
let engine: CloudEngine;
const notices: string[] = [];

async function serve(port = 0): Promise<ServedProcess> {
  return await startServe(dir.join('served'), { args: port === 0 ? [] : ['--listen', `127.0.0.1:${port}`] });
}

beforeAll(async () => {
  dir = tempDir();
  served = await serve();
  engine = new CloudEngine({
    target: parseApiUrl(served.url),
    token: served.token,
    stateDir: dir.join('client'),
    onNotice: (text) => notices.push(text),
  });
  await engine.start({ name: 'demo' });
});

afterAll(async () => {
  for (const { name } of await engine.list()) await engine.kill(name);
  await served.stop();
  dir[Symbol.dispose]();
});

async function exec(command: string, spec: Partial<SessionSpec> = {}) {
  await using handle = await engine.openSession('demo', { command: ['sh', '-c', command], ...spec });
  return await readAll(handle);
}

async function readAll(handle: SessionHandle) {
  const output = { stdout: '', stderr: '' };
  for await (const { stream, bytes } of handle.output({ follow: true }))
    output[stream] += Buffer.from(bytes).toString();
  return { ...output, ...(await handle.exit()) };
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

describe('sprites', () => {
  test('start is idempotent, and what was asked for is in force', async () => {
    expect(await engine.start({ name: 'demo' })).toMatchObject({
      created: false,
      sprite: { name: 'demo', state: 'running' },
    });
    const spec = {
      name: 'asked',
      network: 'filtered' as const,
      allow: ['example.com'],
      labels: { team: 'web' },
    };
    const { sprite, created } = await engine.start({
      ...spec,
      env: { GREETING: 'hello there' },
      memoryBytes: 256 * 1024 ** 2,
      cpus: 0.5,
      owner: 'run-1',
      ttlMs: 3_600_000,
    });
    expect(created).toBe(true);
    expect(sprite).toMatchObject({
      engine: 'cloud',
      isolation: 'namespace',
      network: 'filtered',
      labels: { team: 'web' },
      owner: 'run-1',
      resources: { memory_bytes: 256 * 1024 ** 2, cpus: 0.5 },
    });
    expect(Date.parse(sprite.expires_at ?? '')).toBeGreaterThan(Date.now());
    expect(await engine.policy.network.get('asked')).toEqual([{ domain: 'example.com', action: 'allow' }]);
    expect((await engine.list({ labels: { team: 'web' } })).map(({ name }) => name)).toEqual(['asked']);
    await using handle = await engine.openSession('asked', { command: ['printenv', 'GREETING'] });
    expect((await readAll(handle)).stdout).toBe('hello there\n');
    await engine.kill('asked');
    expect(await wreckitErrorOf(() => engine.info('asked'))).toMatchObject({ code: 'SPRITE_NOT_FOUND' });
  });

  test('labels change, and the owner and the time to live stay', async () => {
    await engine.start({ name: 'labelled', owner: 'me', labels: { a: '1' }, ttlMs: 60_000 });
    const updated = await engine.update('labelled', { labels: { b: '2' } });
    expect(updated).toMatchObject({ labels: { b: '2' }, owner: 'me' });
    expect(updated.expires_at).not.toBeNull();
    await engine.kill('labelled');
  });

  test('gc removes what has expired, and says so beforehand', async () => {
    await engine.start({ name: 'old', ttlMs: 1 });
    expect((await engine.gc({ dryRun: true })).removed.map(({ name }) => name)).toEqual(['old']);
    expect((await engine.gc()).removed.map(({ name }) => name)).toEqual(['old']);
    expect((await engine.list()).map(({ name }) => name)).toEqual(['demo']);
  });

  test('limits of every kind that the server has are set, and told', async () => {
    await engine.start({ name: 'limited' });
    const resources = { memory: { limitMb: 300, autoscale: false }, cpus: 0.5, pids: 100 };
    await engine.policy.resources?.set('limited', resources);
    expect(await engine.policy.resources?.get('limited')).toEqual(resources);
    await engine.policy.resources?.set('limited', { ...resources, cpus: null, pids: undefined });
    expect(await engine.policy.resources?.get('limited')).toEqual({ ...resources, cpus: null });
    await engine.kill('limited');
  });

  test('start makes one whose time is up anew: it could be collected at any moment', async () => {
    const { sprite: old } = await engine.start({ name: 'late', ttlMs: 1 });
    const { sprite, created } = await engine.start({ name: 'late' });
    expect([created, sprite.expires_at, sprite.id === old.id]).toEqual([true, null, false]);
    await engine.kill('late');
  });

  test('what the API has not is UNSUPPORTED, with exit code 9, and nothing is made', async () => {
    for (const call of [
      () => engine.stop('demo'),
      () => engine.start({ name: 'n', image: '/some/rootfs' }),
      () => engine.start({ name: 'n', from: 'demo' }),
      () => engine.start({ name: 'n', pids: 10 }),
      () => engine.update('demo', { annotations: { a: 'b' } }),
    ]) {
      expect(await wreckitErrorOf(call)).toMatchObject({ code: 'UNSUPPORTED', exitCode: 9 });
    }
    expect(await wreckitErrorOf(() => engine.start({ name: 'n', minIsolation: 'vm' }))).toMatchObject({
      code: 'ISOLATION_UNAVAILABLE',
      exitCode: 8,
    });
    expect((await engine.list()).map(({ name }) => name)).toEqual(['demo']);
    const { capabilities } = await engine.version();
    expect(capabilities).not.toContain('stop');
  });
});

describe('commands', () => {
  test('streams, exit codes, signals, directory, variables, user', async () => {
    expect(await exec('echo out; echo err >&2; exit 3')).toMatchObject({
      stdout: 'out\n',
      stderr: 'err\n',
      exitCode: 3,
    });
    expect(await exec('kill -9 $$')).toMatchObject({ exitCode: 137, signal: 'SIGKILL' });
    expect(await exec('pwd; echo "$A"', { dir: '/tmp', env: { A: 'x y\nz' } })).toMatchObject({
      stdout: '/tmp\nx y\nz\n',
    });
    expect((await exec('id -u', { user: 'root' })).stdout).toBe('0\n');
  });

  test('large output and large input arrive whole', async () => {
    const { stdout } = await exec('seq 1 400000 | tee /tmp/seq | md5sum; cat /tmp/seq');
    const [first = '', ...lines] = stdout.split('\n');
    expect(lines).toHaveLength(400_001);
    expect(first).toMatch(/^[0-9a-f]{32} /);
    await using handle = await engine.openSession('demo', { command: ['sha256sum'], stdin: true });
    const input = Buffer.from(stdout.slice(first.length + 1));
    const feeding = (async () => {
      await handle.write(input);
      await handle.closeStdin();
    })();
    const expected = createHash('sha256').update(input).digest('hex');
    expect((await readAll(handle)).stdout).toStartWith(expected);
    await feeding;
  });

  test('a time limit is a time limit', async () => {
    expect(await exec('sleep 60', { timeoutMs: 300 })).toMatchObject({ timedOut: true });
  });

  test('a session goes on without its client, and is read again from any byte, also after its end', async () => {
    await exec('mkfifo /tmp/go');
    const handle = await engine.openSession('demo', {
      command: ['sh', '-c', 'printf 0123456789; printf err >&2; read x < /tmp/go; exit 4'],
    });
    const { id } = handle;
    await handle[Symbol.asyncDispose]();
    expect((await engine.sessions('demo')).find((session) => session.id === id)).toMatchObject({
      state: 'running',
    });
    await exec('echo > /tmp/go');
    await using again = await engine.session('demo', id);
    let tail = '';
    for await (const { bytes, offset } of again.output({
      stdoutFrom: 7,
      streams: ['stdout'],
      follow: true,
    })) {
      expect(offset).toBe(7);
      tail += Buffer.from(bytes).toString();
    }
    expect(tail).toBe('789');
    expect((await again.exit()).exitCode).toBe(4);
    await using third = await engine.session('demo', id);
    expect(Buffer.concat(await parts(third, { stdoutFrom: -3, streams: ['stdout'] })).toString()).toBe('789');
    expect((await engine.sessions('demo')).find((session) => session.id === id)).toMatchObject({
      state: 'exited',
      exit_code: 4,
    });
  });

  test('a session is ended with its group; ended already is a result; one that never was is not', async () => {
    const handle = await engine.openSession('demo', { command: ['sh', '-c', 'sleep 100 & wait'] });
    expect(await engine.killSession('demo', handle.id)).toMatchObject({ exitCode: 143, alreadyGone: false });
    expect(await engine.killSession('demo', handle.id)).toMatchObject({ exitCode: 143, alreadyGone: true });
    expect(await wreckitErrorOf(() => engine.killSession('demo', 'never'))).toMatchObject({
      code: 'SESSION_NOT_FOUND',
    });
    await handle[Symbol.asyncDispose]();
  });

  test('a terminal has its size, takes a new one, and its exit is the real code', async () => {
    await using handle = await engine.openSession('demo', {
      command: ['sh', '-c', 'stty size; read x; stty size; exit 9'],
      tty: { cols: 91, rows: 31 },
    });
    let text = '';
    for await (const { bytes } of handle.output({ follow: true })) {
      text += Buffer.from(bytes).toString();
      if (text.includes('31 91') && !text.includes('go')) {
        await handle.resize({ cols: 92, rows: 32 });
        await handle.write(Buffer.from('go\n'));
      }
    }
    expect(text).toContain('32 92');
    expect((await handle.exit()).exitCode).toBe(9);
  });

  test('kill -9 of the server in the middle: not a byte is missing or twice, and the exit is the real one', async () => {
    const { port } = new URL(served.url);
    await using handle = await engine.openSession('demo', {
      command: [
        'sh',
        '-c',
        'i=0; while [ $i -lt 60 ]; do echo "line $i"; echo "err $i" >&2; i=$((i+1)); sleep 0.05; done; exit 6',
      ],
    });
    const output = { stdout: '', stderr: '' };
    let isKilled = false;
    for await (const { stream, bytes } of handle.output({ follow: true })) {
      output[stream] += Buffer.from(bytes).toString();
      if (isKilled || !output.stdout.includes('line 10\n')) continue;
      isKilled = true;
      served.child.kill('SIGKILL');
      await served.ended;
      served = await serve(Number(port));
    }
    const lines = (word: string) => Array.from({ length: 60 }, (_, index) => `${word} ${index}\n`).join('');
    expect(output).toEqual({ stdout: lines('line'), stderr: lines('err') });
    expect((await handle.exit()).exitCode).toBe(6);
    expect(notices).toEqual([]);
  });
});

async function parts(
  handle: SessionHandle,
  request: Parameters<SessionHandle['output']>[0],
): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  for await (const { bytes } of handle.output(request)) chunks.push(Buffer.from(bytes));
  return chunks;
}

describe('files', () => {
  test('written, read in part, listed, moved, copied, removed; errors have their errno', async () => {
    const { files } = engine;
    expect(await files.write('demo', 'dir/a.txt', pieces('hello ', 'world'), { mode: '0600' })).toEqual({
      sizeBytes: 11,
    });
    expect((await collect(files.read('demo', '/home/sprite/dir/a.txt'))).toString()).toBe('hello world');
    expect((await collect(files.read('demo', 'dir/a.txt', { start: 6, end: 8 }))).toString()).toBe('wo');
    expect(await files.list('demo', 'dir')).toMatchObject([
      { name: 'a.txt', type: 'file', size_bytes: 11, mode: '0600' },
    ]);
    await files.makeDir('demo', 'dir/deep/er');
    await files.move('demo', 'dir/a.txt', 'dir/deep/b.txt');
    await files.chmod('demo', 'dir/deep/b.txt', '0640');
    expect(await files.copy('demo', 'dir', 'copied', { recursive: true })).toMatchObject({ sizeBytes: 11 });
    await files.remove('demo', 'copied', { recursive: true });
    for (const [call, errno] of [
      [() => collect(files.read('demo', 'none')), 'ENOENT'],
      [() => files.remove('demo', 'dir'), 'ENOTEMPTY'],
      [() => files.makeDir('demo', 'dir/deep/b.txt'), 'EEXIST'],
      [() => files.list('demo', 'dir/deep/b.txt/x'), 'ENOTDIR'],
    ] as const) {
      expect(await wreckitErrorOf(call)).toMatchObject({ code: 'PATH_INVALID', details: { errno } });
    }
    expect(await wreckitErrorOf(() => files.list('nosuch', '/'))).toMatchObject({ code: 'SPRITE_NOT_FOUND' });
  });

  test('trees are packed and unpacked whole, and a cut archive is not taken for one', async () => {
    const { files } = engine;
    await exec('mkdir -p t/sub; seq 1 300000 > t/sub/big; ln -s sub/big t/link; chmod 755 t/sub');
    const tar = await collect(files.pack('demo', 't'));
    await files.unpack('demo', 'u', single(tar));
    expect(await exec('diff -r t u && readlink u/link')).toMatchObject({ stdout: 'sub/big\n', exitCode: 0 });
    const error = await wreckitErrorOf(() => files.unpack('demo', 'v', single(tar.subarray(0, 512 * 20))));
    expect(error.code).toBe('SPRITE_SYNC_FAILED');
  });

  test('changes are seen', async () => {
    const stop = new AbortController();
    await engine.files.makeDir('demo', 'watched');
    const seen: string[] = [];
    const watching = (async () => {
      const onReady = () => void engine.files.write('demo', 'watched/new', pieces('x'));
      for await (const change of engine.files.watch('demo', ['watched'], { onReady, signal: stop.signal })) {
        seen.push(change.path);
        stop.abort();
      }
    })();
    await watching;
    expect(seen[0]).toStartWith('/home/sprite/watched/');
  });
});

async function* single(bytes: Buffer): AsyncGenerator<Uint8Array> {
  yield bytes;
}

describe('the rest', () => {
  test('checkpoints are made, listed, restored with a copy of what was there, deleted', async () => {
    await exec('echo before > state');
    const made = await engine.checkpoints.create('demo', { comment: 'a b' });
    expect(made).toMatchObject({ comment: 'a b', is_auto: false });
    await exec('echo after > state');
    const { restored, backup } = await engine.checkpoints.restore('demo', made.id);
    expect(restored.id).toBe(made.id);
    expect((await exec('cat state')).stdout).toBe('before\n');
    await engine.checkpoints.restore('demo', backup.id);
    expect((await exec('cat state')).stdout).toBe('after\n');
    await engine.checkpoints.remove('demo', made.id);
    expect(await wreckitErrorOf(() => engine.checkpoints.remove('demo', made.id))).toMatchObject({
      code: 'CHECKPOINT_NOT_FOUND',
    });
    expect(await wreckitErrorOf(() => engine.checkpoints.restore('demo', '../v1'))).toMatchObject({
      code: 'CHECKPOINT_NOT_FOUND',
    });
  });

  test('ports are seen, and connections go both ways', async () => {
    const python =
      'import socket\ns=socket.create_server(("127.0.0.1",8123))\nwhile True:\n c,_=s.accept(); d=c.recv(100); c.sendall(b"echo "+d); c.close()';
    const handle = await engine.openSession('demo', { command: ['python3', '-c', python] });
    await eventually(async () => (await engine.ports.list('demo')).some(({ port }) => port === 8123), {
      timeoutMs: 20_000,
    });
    const stream = await engine.ports.connect('demo', { host: '', port: 8123 });
    stream.write('hi');
    const [chunk] = await once(stream, 'data');
    expect(String(chunk)).toBe('echo hi');
    stream.destroy();
    expect(await wreckitErrorOf(() => engine.ports.connect('demo', { host: '', port: 8124 }))).toMatchObject({
      code: 'CONFLICT',
    });
    await engine.killSession('demo', handle.id, { name: 'SIGKILL', graceMs: 0 });
    await handle[Symbol.asyncDispose]();
  });

  test('services are declared, run, told of and removed', async () => {
    const spec = { command: ['sh', '-c', 'echo ready; exec sleep 1000'], needs: [], httpPort: null };
    expect(await engine.services.put('demo', 'web', spec)).toMatchObject({
      name: 'web',
      spec: { command: spec.command },
    });
    await eventually(async () => (await engine.services.get('demo', 'web')).state.status === 'running', {
      timeoutMs: 20_000,
    });
    const { signal } = new AbortController();
    await eventually(
      async () => {
        let text = '';
        for await (const event of engine.services.events('demo', 'web', {
          lines: Number.MAX_SAFE_INTEGER,
          follow: false,
          signal,
        })) {
          if (event.type === 'stdout') text += event.data;
        }
        return text.includes('ready');
      },
      { timeoutMs: 20_000 },
    );
    expect((await engine.services.stop('demo', 'web')).state.status).toBe('stopped');
    await engine.services.remove('demo', 'web');
    expect(await wreckitErrorOf(() => engine.services.get('demo', 'web'))).toMatchObject({
      code: 'SERVICE_NOT_FOUND',
    });
  });

  test('a wrong token is refused everywhere, and doctor says what is wrong', async () => {
    const other = new CloudEngine({
      target: parseApiUrl(served.url),
      token: 'wrong-token',
      stateDir: dir.join('other'),
    });
    expect(await wreckitErrorOf(() => other.list())).toMatchObject({ code: 'AUTH_REJECTED', exitCode: 4 });
    expect((await other.doctor())[0]).toMatchObject({ name: 'api', status: 'fail' });
    expect((await engine.doctor())[0]).toMatchObject({ name: 'api', status: 'ok' });
  });

  test('over the unix socket no token is needed', async () => {
    const local = new CloudEngine({
      target: parseApiUrl(`unix:${served.socket}`),
      token: null,
      stateDir: dir.join('unix'),
    });
    expect((await local.list()).map(({ name }) => name)).toEqual(['demo']);
    await using handle = await local.openSession('demo', { command: ['echo', 'hello'] });
    expect((await readAll(handle)).stdout).toBe('hello\n');
  });
});
