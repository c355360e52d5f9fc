import { expect, test } from 'bun:test';
import { parseApiUrl } from '../../../engine/cloud/api-target.ts';
import { CloudEngine, type CloudEngineOptions } from '../../../engine/cloud/cloud-engine.ts';
import type { SessionHandle, SessionSpec } from '../../../engine/engine.ts';
import { WreckitError } from '../../../errors.ts';
import { wreckitErrorOf } from '../../helpers/error-of.ts';
import { tempDir } from '../../helpers/temp-dir.ts';
import { frames, type ScriptedServer, scriptedServer } from './scripted-server.ts';

const DEMO = '/v1/sprites/demo';
const EXEC = `${DEMO}/exec`;
const sprite = { id: 'sprite-1', name: 'demo', status: 'running', created_at: '2026-01-01T00:00:00Z' };

const errorOf = (failing: Promise<unknown>) => wreckitErrorOf(() => failing);

async function withServer(
  use: (parts: { server: ScriptedServer; engine: CloudEngine; notices: string[] }) => Promise<void>,
  options: Partial<CloudEngineOptions> = {},
): Promise<void> {
  using dir = tempDir();
  await using server = await scriptedServer();
  const notices: string[] = [];
  const engine = new CloudEngine({
    target: parseApiUrl(server.url),
    token: 'org/1/2/secret',
    stateDir: dir.path,
    onNotice: (text) => notices.push(text),
    resumeMs: 3_000,
    patienceMs: 4_000,
    ...options,
  });
  await use({ server, engine, notices });
}

async function run(engine: CloudEngine, spec: Partial<SessionSpec> = {}) {
  await using handle = await engine.openSession('demo', { command: ['x'], ...spec });
  return await readAll(handle);
}

async function readAll(handle: SessionHandle) {
  const output = { stdout: '', stderr: '' };
  let dropped = 0;
  for await (const { stream, bytes, droppedBytes } of handle.output({ follow: true })) {
    output[stream] += Buffer.from(bytes).toString();
    dropped += droppedBytes;
  }
  return { ...output, dropped, exit: await handle.exit() };
}

function isReady(server: ScriptedServer): void {
  server.onSocket(EXEC, (socket, { query }) => {
    frames.info(socket);
    if (query.get('tty') === 'true') socket.send(JSON.stringify({ type: 'exit', exit_code: 0 }));
    else frames.exit(socket, 0);
    socket.close(1000);
  });
}

const TOO_FAST = {
  status: 429,
  headers: { 'Retry-After': '1' },
  body: { error: 'sprite_creation_rate_limited', message: 'too many' },
};

test('429 that wants more patience than there is says when to come back and which limit it is, at once', async () => {
  await withServer(async ({ server, engine, notices }) => {
    server.on(`POST /v1/sprites`, {
      status: 429,
      headers: { 'Retry-After': '370', 'X-RateLimit-Limit': '10', 'X-RateLimit-Remaining': '0' },
      body: {
        error: 'sprite_creation_rate_limited',
        message: 'too many',
        limit: 10,
        window_seconds: 60,
        upgrade_available: true,
      },
    });
    const error = await errorOf(engine.start({ name: 'demo' }));
    expect(error).toMatchObject({ code: 'RATE_LIMITED', exitCode: 5, retryable: true });
    expect(error.details).toMatchObject({
      retry_after_seconds: 370,
      limit: 10,
      window_seconds: 60,
      rate_limit_limit: 10,
      rate_limit_remaining: 0,
      api_code: 'sprite_creation_rate_limited',
    });
    expect(error.hint).toContain('370 s');
    expect(server.asked.filter(({ method }) => method === 'POST')).toHaveLength(1);
    expect(notices).toEqual([]);
  });
});

test('create that is refused for the rate of calls waits as it is told, says so, and makes one sprite', async () => {
  await withServer(async ({ server, engine, notices }) => {
    server.on(`GET ${DEMO}`, [{ status: 404 }, { body: sprite }]);
    server.on('POST /v1/sprites', [TOO_FAST, TOO_FAST, { status: 201, body: sprite }]);
    server.on(`GET ${DEMO}/policy/network`, { body: { rules: [] } });
    isReady(server);
    expect((await engine.start({ name: 'demo' })).created).toBe(true);
    expect(server.asked.filter(({ method }) => method === 'POST')).toHaveLength(3);
    expect(notices).toEqual(Array(2).fill('start sprite "demo": too many; trying again in 1 s'));
  });
});

test('who waits for the rate of calls can leave, and nothing is made any more', async () => {
  await withServer(async ({ server, engine }) => {
    const leaving = new AbortController();
    server.on('POST /v1/sprites', () => {
      setImmediate(() => leaving.abort(new Error('left')));
      return { ...TOO_FAST, headers: { 'Retry-After': '100' } };
    });
    const started = engine.start({ name: 'demo' }, { signal: leaving.signal });
    await expect(started).rejects.toThrow('left');
    expect(server.asked.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });
});

test('delete and a command that are refused for the rate of calls are asked for again', async () => {
  await withServer(async ({ server, engine, notices }) => {
    server.on(`DELETE ${DEMO}`, [TOO_FAST, { status: 204 }]);
    await engine.kill('demo');
    server.onSocket(EXEC, [
      TOO_FAST,
      (socket) => {
        frames.info(socket);
        frames.exit(socket, 3);
      },
    ]);
    expect((await run(engine)).exit.exitCode).toBe(3);
    expect(server.asked.map(({ method }) => method)).toEqual(['DELETE', 'DELETE', 'GET', 'WS', 'WS']);
    expect(notices).toHaveLength(2);
  });
});

test("the organization's limit of sprites is SPRITE_LIMIT, at once, whichever call meets it", async () => {
  const full = {
    status: 429,
    headers: { 'Retry-After': '1' },
    body: { error: 'concurrent_sprite_limit_exceeded', limit: 3, current_count: 3 },
  };
  await withServer(async ({ server, engine }) => {
    server.on('POST /v1/sprites', full);
    expect(await errorOf(engine.start({ name: 'demo' }))).toMatchObject({
      code: 'SPRITE_LIMIT',
      retryable: false,
      details: { limit: 3, current_count: 3 },
    });
    server.on(`GET ${DEMO}`, { body: sprite });
    server.onSocket(EXEC, full);
    expect((await errorOf(engine.start({ name: 'demo' }))).code).toBe('SPRITE_LIMIT');
    const counts = ['POST', 'WS'].map((wanted) => server.asked.filter(({ method }) => method === wanted));
    expect(counts.map(({ length }) => length)).toEqual([1, 1]);
  });
});

test('a short Retry-After of a call that may be repeated is waited for', async () => {
  await withServer(async ({ server, engine }) => {
    server.on(`GET ${DEMO}`, [
      { status: 429, headers: { 'Retry-After': '1' } },
      { status: 503 },
      { body: sprite },
    ]);
    server.on(`GET ${EXEC}`, { body: { sessions: [] } });
    server.on(`GET ${DEMO}/policy/network`, { body: { rules: [] } });
    expect(await engine.info('demo')).toMatchObject({ name: 'demo', state: 'running', network: 'open' });
  });
});

test('create that answers 500 but has made the sprite is a created sprite, made once', async () => {
  await withServer(async ({ server, engine }) => {
    let isMade = false;
    server.on(`GET ${DEMO}`, () => (isMade ? { body: sprite } : { status: 404 }));
    server.on('POST /v1/sprites', () => {
      isMade = true;
      return { status: 500, body: { error: 'internal' } };
    });
    server.on(`GET ${DEMO}/policy/network`, { body: { rules: [] } });
    isReady(server);
    expect(await engine.start({ name: 'demo' })).toMatchObject({ created: true, sprite: { name: 'demo' } });
    expect(server.asked.filter(({ method }) => method === 'POST')).toHaveLength(1);
  });
});

test('create whose answer is cut off looks before it makes another', async () => {
  await withServer(async ({ server, engine }) => {
    const posts: string[] = [];
    server.on(`GET ${DEMO}`, () => (posts.length > 1 ? { body: sprite } : { status: 404 }));
    server.on('POST /v1/sprites', ({ body }) => {
      posts.push(body);
      return posts.length === 1 ? { cut: true } : { status: 201, body: sprite };
    });
    server.on(`GET ${DEMO}/policy/network`, { body: { rules: [] } });
    isReady(server);
    expect((await engine.start({ name: 'demo' })).created).toBe(true);
    expect(posts).toHaveLength(2);
    const order = server.asked.map(({ method, path }) => `${method} ${path}`);
    expect(order.slice(0, 4)).toEqual([`GET ${DEMO}`, 'POST /v1/sprites', `GET ${DEMO}`, 'POST /v1/sprites']);
  });
});

test('a policy that does not stick ends the start, and the sprite is removed before anything ran in it', async () => {
  await withServer(async ({ server, engine }) => {
    let isThere = false;
    server.on(`GET ${DEMO}`, () => (isThere ? { body: sprite } : { status: 404 }));
    server.on('POST /v1/sprites', () => {
      isThere = true;
      return { status: 201, body: sprite };
    });
    server.on(`DELETE ${DEMO}`, () => {
      isThere = false;
      return { status: 204 };
    });
    server.on(`POST ${DEMO}/policy/network`, { status: 204 });
    server.on(`GET ${DEMO}/policy/network`, { body: { rules: [] } });
    isReady(server);
    const error = await errorOf(engine.start({ name: 'demo', network: 'none' }));
    expect(error).toMatchObject({ code: 'POLICY_DENIED', exitCode: 8 });
    expect(isThere).toBe(false);
    expect(server.asked.filter(({ method }) => method === 'WS')).toHaveLength(0);
  });
});

test('a rule set is read back: what the server took and does not enforce is POLICY_DENIED', async () => {
  await withServer(async ({ server, engine }) => {
    server.on(`POST ${DEMO}/policy/network`, { status: 204 });
    server.on(`GET ${DEMO}/policy/network`, {
      body: {
        rules: [
          { domain: 'a.example', action: 'allow' },
          { domain: '*', action: 'deny' },
        ],
      },
    });
    const wanted = [{ domain: 'b.example', action: 'allow' }] as const;
    expect(await errorOf(engine.policy.network.set('demo', wanted))).toMatchObject({ code: 'POLICY_DENIED' });
    await engine.policy.network.set('demo', [{ domain: 'A.example', action: 'allow' }]);
  });
});

test('a policy that allows nothing is no empty list, which the API takes for no restriction', async () => {
  await withServer(async ({ server, engine }) => {
    let rules: unknown = [];
    server.on(`POST ${DEMO}/policy/network`, ({ body }) => {
      rules = JSON.parse(body).rules;
      return { status: 204 };
    });
    server.on(`GET ${DEMO}/policy/network`, () => ({ body: { rules } }));
    const { network } = engine.policy;
    expect(await network.get('demo')).toEqual([{ domain: '*', action: 'allow' }]);
    await network.set('demo', []);
    expect([rules, await network.get('demo')]).toEqual([[{ domain: '*', action: 'deny' }], []]);
    await network.set('demo', [{ domain: 'a.example', action: 'allow' }]);
    expect(rules).toContainEqual({ domain: '*', action: 'deny' });
    expect(await network.get('demo')).toEqual([{ domain: 'a.example', action: 'allow' }]);
  });
});

test('a limit the server knows nothing of is refused before anything is set, and not told as none', async () => {
  await withServer(async ({ server, engine }) => {
    let memory: unknown = { limit_mb: 512, autoscale: false };
    server.on(`GET ${DEMO}/policy/resources`, () => ({ body: { memory } }));
    server.on(`POST ${DEMO}/policy/resources`, ({ body }) => {
      memory = JSON.parse(body).memory;
      return { status: 204 };
    });
    const { resources } = engine.policy;
    const wanted = { memory: { limitMb: 256, autoscale: false } };
    const refused = await errorOf(resources?.set('demo', { ...wanted, cpus: 2 }) ?? Promise.resolve());
    expect([refused.code, refused.message]).toEqual([
      'UNSUPPORTED',
      'resources policy of "demo": the server has no limit of cpus',
    ]);
    expect(await resources?.get('demo')).toEqual({ memory: { limitMb: 512, autoscale: false } });
    await resources?.set('demo', wanted);
    expect(await resources?.get('demo')).toEqual(wanted);
  });
});

test('an open network that the server does not give is no open network', async () => {
  await withServer(async ({ server, engine }) => {
    server.on(`GET ${DEMO}`, { status: 404 });
    server.on('POST /v1/sprites', { status: 201, body: sprite });
    server.on(`DELETE ${DEMO}`, { status: 204 });
    server.on(`GET ${DEMO}/policy/network`, { body: { rules: [{ domain: '*', action: 'deny' }] } });
    isReady(server);
    expect(await errorOf(engine.start({ name: 'demo', network: 'open' }))).toMatchObject({
      code: 'POLICY_DENIED',
      details: { wanted: 'open', in_force: 'none' },
    });
  });
});

test('network none is a rule that denies everything, read back before it is believed', async () => {
  await withServer(async ({ server, engine }) => {
    let rules: unknown = [];
    server.on(`GET ${DEMO}`, [{ status: 404 }, { body: sprite }]);
    server.on('POST /v1/sprites', { status: 201, body: sprite });
    server.on(`POST ${DEMO}/policy/network`, ({ body }) => {
      rules = JSON.parse(body).rules;
      return { status: 204 };
    });
    server.on(`GET ${DEMO}/policy/network`, () => ({ body: { rules } }));
    isReady(server);
    expect((await engine.start({ name: 'demo', network: 'none' })).sprite.network).toBe('none');
    expect(rules).toEqual([{ domain: '*', action: 'deny' }]);
  });
});

test('limits the server does not confirm are refused, or wishes', async () => {
  await withServer(async ({ server, engine }) => {
    let isThere = false;
    server.on(`GET ${DEMO}`, () => (isThere ? { body: sprite } : { status: 404 }));
    server.on('POST /v1/sprites', () => {
      isThere = true;
      return { status: 201, body: sprite };
    });
    server.on(`DELETE ${DEMO}`, () => {
      isThere = false;
      return { status: 204 };
    });
    server.on(`GET ${DEMO}/policy/network`, { body: { rules: [] } });
    isReady(server);
    const limited = { name: 'demo', memoryBytes: 512 * 1024 ** 2 };
    expect(await errorOf(engine.start(limited))).toMatchObject({ code: 'UNSUPPORTED', exitCode: 9 });
    expect(isThere).toBe(false);
    const { sprite: made } = await engine.start({ ...limited, softLimits: true });
    expect(made.warnings?.join()).toContain('memory');
    const post = server.asked.findLast(({ method }) => method === 'POST');
    expect(JSON.parse(post?.body ?? '')).toMatchObject({ name: 'demo', config: { ram_mb: 512 } });
  });
});

test('a cold sprite whose first handshakes fail is waited for', async () => {
  await withServer(async ({ server, engine }) => {
    server.on(`GET ${DEMO}`, { body: { ...sprite, status: 'cold' } });
    server.on(`GET ${DEMO}/policy/network`, { body: { rules: [] } });
    server.onSocket(EXEC, [
      { status: 503, body: { error: 'starting' } },
      { cut: true },
      (socket) => {
        frames.info(socket);
        frames.exit(socket, 0);
      },
    ]);
    expect((await engine.start({ name: 'demo' })).created).toBe(false);
  });
});

test("a user's command is not sent again when it may have been started", async () => {
  await withServer(async ({ server, engine }) => {
    server.onSocket(EXEC, { cut: true });
    const error = await errorOf(engine.openSession('demo', { command: ['x'] }));
    expect(error.code).toBe('ENGINE_UNAVAILABLE');
    expect(server.asked.filter(({ method }) => method === 'WS')).toHaveLength(1);
  });
});

test('max_run_after_disconnect is always sent, as the time limit where there is one', async () => {
  await withServer(async ({ server, engine }) => {
    server.on(`GET ${DEMO}`, { body: sprite });
    isReady(server);
    await run(engine);
    await run(engine, { tty: { cols: 80, rows: 24 } });
    await run(engine, { timeoutMs: 90_000 });
    const sent = server.asked
      .filter(({ method }) => method === 'WS')
      .map(({ query }) => query.get('max_run_after_disconnect'));
    expect(sent).toEqual(['0', '0', '90s']);
  });
});

test('exit comes from the frame although the server closes late, or never', async () => {
  await withServer(async ({ server, engine }) => {
    server.onSocket(EXEC, (socket) => {
      frames.info(socket);
      frames.stdout(socket, 'out');
      frames.stderr(socket, 'err');
      frames.exit(socket, 7);
    });
    expect(await run(engine)).toMatchObject({ stdout: 'out', stderr: 'err', exit: { exitCode: 7 } });
  });
});

test('notes, keep-alives and unknown frames before and between are not output', async () => {
  await withServer(async ({ server, engine }) => {
    server.onSocket(EXEC, (socket) => {
      socket.send(JSON.stringify({ type: 'debug', msg: 'session created' }));
      frames.info(socket);
      socket.send(Buffer.alloc(0));
      socket.send('not json');
      socket.send(JSON.stringify({ type: 'port_opened', port: 1, address: '0.0.0.0', pid: 2 }));
      socket.send(Buffer.of(9, 1, 2));
      frames.stdout(socket, 'a');
      socket.send(Buffer.of(3));
      frames.exit(socket, 0);
    });
    expect(await run(engine)).toMatchObject({ stdout: 'a', exit: { exitCode: 0 } });
  });
});

for (const [how, close] of [
  ['with 1000', 1000],
  ['with 1001', 1001],
  ['without a word', null],
] as const) {
  test(`a connection that ends ${how} and no exit is never an exit code`, async () => {
    await withServer(async ({ server, engine }) => {
      server.onSocket(EXEC, (socket) => {
        frames.info(socket);
        frames.stdout(socket, 'half');
        if (close === null) socket.terminate();
        else socket.close(close);
      });
      server.onSocket(`${EXEC}/4711`, { status: 404, body: { error: 'session not found: 4711' } });
      server.on(`GET ${EXEC}`, { body: { sessions: [] } });
      const error = await errorOf(run(engine));
      expect(error).toMatchObject({ code: 'SESSION_LOST', details: { state: 'unknown', exit_code: null } });
      expect((await engine.sessions('demo')).find(({ id }) => id === '4711')).toMatchObject({
        state: 'lost',
        exit_code: null,
      });
    });
  });
}

test('a server that takes the connection again and again without an end is given up', async () => {
  await withServer(async ({ server, engine }) => {
    server.onSocket(EXEC, (socket) => {
      frames.info(socket);
      socket.close(1000);
    });
    server.onSocket(`${EXEC}/4711`, (socket) => {
      frames.info(socket);
      socket.close(1000);
    });
    expect(await errorOf(run(engine))).toMatchObject({ code: 'SESSION_LOST' });
  });
});

test('a connection dropped in the middle goes on at the offset where the server has it', async () => {
  await withServer(async ({ server, engine, notices }) => {
    const all = Buffer.from(Array.from({ length: 5000 }, (_, line) => `line ${line}\n`).join(''));
    server.onSocket(EXEC, (socket) => {
      frames.info(socket, '4711', { stdout_offset: 0, stderr_offset: 0 });
      frames.stdout(socket, all.subarray(0, 12_345));
      setTimeout(() => socket.terminate(), 50);
    });
    server.onSocket(`${EXEC}/4711`, (socket, { query }) => {
      const from = Number(query.get('output_offset'));
      frames.info(socket, '4711', { stdout_offset: from, stderr_offset: 0 });
      frames.stdout(socket, all.subarray(from));
      frames.exit(socket, 3);
    });
    const { stdout, exit } = await run(engine);
    expect(stdout).toBe(all.toString());
    expect(exit.exitCode).toBe(3);
    expect(notices).toEqual([]);
  });
});

test('a server without offsets is followed by what it repeats: every byte once', async () => {
  await withServer(async ({ server, engine, notices }) => {
    const all = Buffer.from(Array.from({ length: 3000 }, (_, line) => `line ${line}\n`).join(''));
    server.onSocket(EXEC, (socket) => {
      frames.info(socket);
      frames.stdout(socket, all.subarray(0, 10_000));
      frames.stderr(socket, 'warning\n');
      setTimeout(() => socket.terminate(), 50);
    });
    server.onSocket(`${EXEC}/4711`, (socket, { query }) => {
      expect(query.get('output_offset')).toBeNull();
      frames.info(socket);
      // All of it is still in the scrollback, in pieces cut elsewhere.
      for (let start = 0; start < 20_000; start += 777) {
        frames.stdout(socket, all.subarray(start, Math.min(start + 777, 20_000)));
      }
      frames.stderr(socket, 'warning\n');
      setTimeout(() => {
        frames.stdout(socket, all.subarray(20_000));
        frames.exit(socket, 0);
      }, 50);
    });
    const { stdout, stderr, exit } = await run(engine);
    expect(stdout).toBe(all.toString());
    expect(stderr).toBe('warning\n');
    expect(exit.exitCode).toBe(0);
    expect(notices).toEqual([]);
  });
});

test('where the scrollback no longer holds what was seen, that is said and the exit is still the real one', async () => {
  await withServer(async ({ server, engine, notices }) => {
    server.onSocket(EXEC, (socket) => {
      frames.info(socket);
      frames.stdout(socket, 'the beginning\n');
      setTimeout(() => socket.terminate(), 50);
    });
    server.onSocket(`${EXEC}/4711`, (socket) => {
      frames.info(socket);
      frames.stdout(socket, 'much, much later: the rest of it is gone\n');
      setTimeout(() => frames.exit(socket, 5), 50);
    });
    const { stdout, exit } = await run(engine);
    expect(stdout).toBe('the beginning\nmuch, much later: the rest of it is gone\n');
    expect(exit.exitCode).toBe(5);
    expect(notices.join()).toContain('may be missing or repeated');
  });
});

test('input under way when the connection breaks is SESSION_LOST, never a command that got half of it', async () => {
  await withServer(async ({ server, engine }) => {
    server.onSocket(EXEC, (socket) => {
      frames.info(socket, '4711', { stdout_offset: 0, stderr_offset: 0 });
      socket.once('message', () => socket.terminate());
    });
    await using handle = await engine.openSession('demo', { command: ['cat'], stdin: true });
    await handle.write(Buffer.from('half'));
    const error = await errorOf(readAll(handle));
    expect(error).toMatchObject({ code: 'SESSION_LOST', details: { state: 'unknown' } });
    expect(error.message).toContain('input');
    expect(server.asked.filter(({ path }) => path.endsWith('/4711'))).toHaveLength(0);
  });
});

test('the time limit ends a command where the server cannot', async () => {
  await withServer(async ({ server, engine }) => {
    server.on(`GET ${DEMO}`, { body: sprite });
    let end: () => void = () => undefined;
    server.onSocket(EXEC, (socket) => {
      frames.info(socket);
      end = () => frames.exit(socket, 143);
    });
    server.on(`POST ${EXEC}/4711/kill`, () => {
      end();
      return { body: '{"type":"complete","exit_code":143}\n' };
    });
    expect((await run(engine, { timeoutMs: 200 })).exit).toMatchObject({ timedOut: true, exitCode: 143 });
  });
});

test('list goes through all pages, and stops where they go round', async () => {
  await withServer(async ({ server, engine }) => {
    const page = (names: string[], next: string | null) => ({
      body: {
        sprites: names.map((name) => ({ name, org_slug: 'o' })),
        has_more: next !== null,
        next_continuation_token: next,
      },
    });
    server.on('GET /v1/sprites', ({ query }) => {
      expect(query.get('max_results')).toBe('50');
      const token = query.get('continuation_token');
      return token === null
        ? page(['a', 'b'], 't1')
        : token === 't1'
          ? page(['c', '../x'], 't2')
          : page(['d'], null);
    });
    const sprites = await engine.list();
    expect(sprites.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
    expect(sprites[0]?.state).toBe('unknown');
    server.on('GET /v1/sprites', page(['a'], 'again'));
    expect(await errorOf(engine.list())).toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
  });
});

test('kill looks after a failure: what is gone is gone, what is still there is SPRITE_KILL_FAILED', async () => {
  await withServer(async ({ server, engine }) => {
    server.on(`DELETE ${DEMO}`, { status: 500, body: { error: 'oops' } });
    server.on(`GET ${DEMO}`, { status: 404 });
    await engine.kill('demo');
    server.on(`DELETE ${DEMO}`, { status: 404 });
    expect(await errorOf(engine.kill('demo'))).toMatchObject({ code: 'SPRITE_NOT_FOUND', exitCode: 3 });
  });
});

test('the token goes to its server alone: a redirect is not followed', async () => {
  await withServer(async ({ server, engine }) => {
    await using other = await scriptedServer();
    server.on('GET /v1/sprites', { status: 302, headers: { Location: `${other.url}/v1/sprites` } });
    server.onSocket(EXEC, { status: 307, headers: { Location: `${other.url}${EXEC}` } });
    expect(await errorOf(engine.list())).toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
    expect(await errorOf(engine.openSession('demo', { command: ['x'] }))).toBeInstanceOf(WreckitError);
    expect(other.asked).toEqual([]);
    expect(server.asked[0]?.headers.authorization).toBe('Bearer org/1/2/secret');
  });
});

test('a refused token is AUTH_REJECTED on calls and on handshakes, and is not repeated in the message', async () => {
  await withServer(async ({ server, engine }) => {
    server.on('GET /v1/sprites', { status: 401, body: { error: 'unauthorized' } });
    server.onSocket(EXEC, { status: 401 });
    for (const failing of [engine.list(), engine.openSession('demo', { command: ['x'] })]) {
      const error = await errorOf(failing);
      expect(error).toMatchObject({ code: 'AUTH_REJECTED', exitCode: 4 });
      expect(JSON.stringify({ ...error, message: error.message })).not.toContain('secret');
    }
  });
});

test('names are checked before any URL is made of them', async () => {
  await withServer(async ({ server, engine }) => {
    for (const name of ['../organizations/x', 'a/b', 'a?force=true', '', '-o', 'A', 'a\n']) {
      for (const call of [
        () => engine.info(name),
        () => engine.kill(name),
        () => engine.openSession(name, { command: ['x'] }),
        () => engine.killSession(name, 's1'),
        () => engine.sessions(name),
        () => engine.files.list(name, '/'),
        () => engine.checkpoints.list(name),
        () => engine.policy.network.get(name),
        () => engine.services.list(name),
        () => engine.ports.list(name),
      ]) {
        expect(await errorOf(call())).toMatchObject({ code: 'SPRITE_NAME_INVALID', exitCode: 2 });
      }
    }
    expect(server.asked).toEqual([]);
  });
});

test('an answer that breaks off is an error, never a shorter file', async () => {
  await withServer(async ({ server, engine }) => {
    server.on(`GET ${DEMO}/fs/read`, { headers: { 'Content-Length': '1000' }, body: 'only this' });
    const read = async () => {
      for await (const _ of engine.files.read('demo', '/x'));
    };
    const cut = setTimeout(() => void server[Symbol.asyncDispose](), 200);
    expect(await errorOf(read())).toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
    clearTimeout(cut);
  });
});

test('a wait ends with its signal', async () => {
  await withServer(async ({ server, engine }) => {
    server.on('GET /v1/sprites', { hang: true });
    server.onSocket(EXEC, { hang: true });
    for (const wait of [
      (signal: AbortSignal) => engine.list({}, { signal }),
      (signal: AbortSignal) => engine.openSession('demo', { command: ['x'] }, { signal }),
    ]) {
      const stop = new AbortController();
      setTimeout(() => stop.abort(new Error('enough')), 50);
      await expect(wait(stop.signal)).rejects.toThrow('enough');
    }
  });
});
