import { describe, expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { FaultFile } from '../../api/faults/fault-rule.ts';
import { readFaults } from '../../api/faults/read-faults.ts';
import { wreckitErrorOf } from '../helpers/error-of.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { runWisp } from '../wisp/run-wisp.ts';
import { newSprite, type ServedApi, servedApi, shellQuery } from './served-api.ts';
import { startServe } from './served-process.ts';

function lying(...faults: unknown[]): Promise<ServedApi> {
  return servedApi({}, { faults: FaultFile.parse({ faults }).faults });
}

const WS_EXEC = 'WEBSOCKET /v1/sprites/*/exec';
const list = '/v1/sprites';

describe('a rule of --faults', () => {
  test('belongs to its method, path and turn; the rules of one call are a script', async () => {
    await using api = await lying(
      { on: 'GET /v1/sprites', kind: 'error', status: 500, nth: 2, times: 2 },
      { on: 'GET /v1/sprites/*', kind: 'error', status: 501 },
      { on: 'GET /v1/sprites/*', kind: 'error', status: 502 },
      { on: 'GET /v1/sprites/gone/**', kind: 'error', status: 503, times: 'always' },
    );
    const status = async (path: string) => (await api.ask(path)).status;
    const four = [await status(list), await status(list), await status(list), await status(list)];
    expect(four).toEqual([200, 500, 500, 200]);
    expect([await status('/v1/sprites/a'), await status('/v1/sprites/b')]).toEqual([501, 502]);
    expect(await status('/v1/sprites/c')).toBe(404);
    expect((await api.ask('/v1/sprites/gone', { method: 'DELETE' })).status).toBe(404);
    for (const path of ['/v1/sprites/gone/check', '/v1/sprites/gone/fs/list', '/v1/sprites/gone/check'])
      expect([path, await status(path)]).toEqual([path, 503]);
    expect((await api.ask(list, { token: 'wrong' })).status).toBe(401);
  });

  test('of a GET is not for the WebSocket at the same path, nor the other way round', async () => {
    await using api = await lying(
      { on: 'GET /v1/sprites/demo/exec', kind: 'error', status: 500 },
      { on: WS_EXEC, kind: 'error', status: 502 },
    );
    const at = await newSprite(api);
    using client = api.connect(`${at}/exec${shellQuery('exit 0')}`);
    await expect(client.opened).rejects.toThrow('refused with 502');
    expect((await api.ask(`${at}/exec`)).status).toBe(500);
    expect((await api.ask(`${at}/exec`)).status).toBe(200);
  });
});

describe('a fault before anything is done', () => {
  test('rate-limited: 429 with codes, limits and Retry-After, and nothing made', async () => {
    await using api = await lying(
      {
        on: 'POST /v1/sprites',
        kind: 'rate-limited',
        retry_after_seconds: 1.5,
        limit: 3,
        window_seconds: 10,
      },
      {
        on: 'POST /v1/sprites',
        kind: 'rate-limited',
        code: 'concurrent_sprite_limit_exceeded',
        retry_after_seconds: null,
        current_count: 7,
      },
    );
    const post = () => api.ask(list, { method: 'POST', body: '{"name":"demo"}' });
    const first = await post();
    expect([first.status, first.headers['retry-after'], first.headers['x-ratelimit-limit']]).toEqual([
      429,
      '2',
      '3',
    ]);
    expect(first.headers['x-ratelimit-remaining']).toBe('0');
    expect(first.json()).toMatchObject({
      error: 'sprite_creation_rate_limited',
      limit: 3,
      window_seconds: 10,
      retry_after_seconds: 1.5,
    });
    const second = await post();
    expect(second.headers['retry-after']).toBeUndefined();
    expect(second.json()).toMatchObject({ error: 'concurrent_sprite_limit_exceeded', current_count: 7 });
    expect(await api.engine.list()).toEqual([]);
  });

  test('error: the status, with a body of any kind', async () => {
    await using api = await lying(
      { on: 'GET /v1/sprites', kind: 'error', status: 502, body: '<html>bad gateway</html>' },
      {
        on: 'GET /v1/sprites',
        kind: 'error',
        status: 503,
        retry_after_seconds: 4,
        body: { message: 'soon' },
      },
      { on: 'GET /v1/sprites', kind: 'error' },
    );
    const html = await api.ask(list);
    expect([html.status, html.headers['content-type'], html.body.toString()]).toEqual([
      502,
      'text/plain; charset=utf-8',
      '<html>bad gateway</html>',
    ]);
    const soon = await api.ask(list);
    expect([soon.status, soon.headers['retry-after'], soon.json()]).toEqual([503, '4', { message: 'soon' }]);
    expect((await api.ask(list)).status).toBe(503);
  });

  test('not-done: said to be done, and not: a policy that does not stick', async () => {
    await using api = await lying({ on: 'POST /v1/sprites/*/policy/network', kind: 'not-done' });
    const at = await newSprite(api);
    const policy = `${at}/policy/network`;
    const rules = [{ domain: 'example.com', action: 'allow' }];
    const before = await api.askJson('GET', policy);
    expect(await api.askJson('POST', policy, { rules })).toEqual({ status: 204, body: undefined });
    expect(await api.askJson('GET', policy)).toEqual(before);
  });

  test('hang: holds the first answer of a cold sprite back, and that of a running one not', async () => {
    await using api = await lying({ on: 'GET /v1/sprites/*/fs/list', kind: 'hang', state: 'cold' });
    const at = await newSprite(api);
    const ls = `${at}/fs/list?path=/etc`;
    expect((await api.ask(ls)).status).toBe(200);
    await api.engine.stop('demo');
    const headers = { Authorization: `Bearer ${api.token}` };
    const held = fetch(`${api.url}${ls}`, { headers, signal: AbortSignal.timeout(1000) });
    await expect(held).rejects.toThrow('timed out');
    expect((await api.askJson('GET', at)).body).toMatchObject({ status: 'cold' });
    expect((await api.ask(ls)).status).toBe(200);
    expect((await api.askJson('GET', at)).body).toMatchObject({ status: 'running' });
  });

  test('hang with delay_ms: answers after all', async () => {
    await using api = await lying({ on: 'GET /v1/sprites', kind: 'hang', delay_ms: 300 });
    const startedAt = performance.now();
    expect((await api.ask(list)).status).toBe(200);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(295);
  });
});

describe('a fault afterwards', () => {
  test('done-but-error: 500 for a sprite that was made, a file written, a command that runs', async () => {
    await using api = await lying(
      { on: 'POST /v1/sprites', kind: 'done-but-error' },
      {
        on: 'PUT /v1/sprites/*/fs/write',
        kind: 'done-but-error',
        status: 503,
        body: 'upstream connect error',
      },
      { on: WS_EXEC, kind: 'done-but-error', status: 502 },
    );
    expect((await api.askJson('POST', list, { name: 'demo' })).status).toBe(500);
    const at = '/v1/sprites/demo';
    expect((await api.askJson('GET', at)).status).toBe(200);
    const write = await api.ask(`${at}/fs/write?path=note`, { method: 'PUT', body: 'text' });
    expect([write.status, write.body.toString()]).toEqual([503, 'upstream connect error']);
    expect((await api.ask(`${at}/fs/read?path=note`)).body.toString()).toBe('text');
    using client = api.connect(`${at}/exec${shellQuery('sleep 100')}`);
    await expect(client.opened).rejects.toThrow('refused with 502');
    expect(await api.engine.sessions('demo')).toMatchObject([{ state: 'running' }]);
    expect((await api.askJson('POST', list, { name: 'demo' })).status).toBe(409);
  });

  test('malformed: JSON, lines and WebSocket texts that are none', async () => {
    await using api = await lying(
      { on: 'GET /v1/sprites', kind: 'malformed' },
      { on: 'GET /v1/sprites', kind: 'malformed', text: '<html>' },
      { on: WS_EXEC, kind: 'malformed', text: '{"type":' },
    );
    const half = (await api.ask(list)).body.toString();
    expect(half).toStartWith('{');
    expect(() => JSON.parse(half)).toThrow();
    expect((await api.ask(list)).body.toString()).toBe('<html>');
    const at = await newSprite(api);
    using client = api.connect(`${at}/exec${shellQuery('echo out')}`);
    client.ws.removeAllListeners('message');
    const texts: string[] = [];
    client.ws.on('message', (data, isBinary) => {
      if (!isBinary) texts.push(String(data));
    });
    await client.closed;
    expect(texts).toEqual(['{"type":', '{"type":']);
  });

  test('drop: cuts an answer at the byte, be it of a file or of JSON', async () => {
    await using api = await lying(
      { on: 'GET /v1/sprites/*/fs/read', kind: 'drop', after_bytes: 70_000 },
      { on: 'GET /v1/sprites/*', kind: 'drop', after_bytes: 5 },
      { on: 'GET /v1/sprites/*', kind: 'drop', after_bytes: 0 },
      { on: 'GET /v1/sprites', kind: 'drop', after_bytes: 1_000_000 },
    );
    const at = await newSprite(api);
    await api.ask(`${at}/fs/write?path=big`, { method: 'PUT', body: Buffer.alloc(200_000, 7) });
    const got = async (path: string) => {
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of await api.open(path)) chunks.push(chunk as Buffer);
      } catch {
        return ['cut', Buffer.concat(chunks).length];
      }
      return ['whole', Buffer.concat(chunks).length];
    };
    expect(await got(`${at}/fs/read?path=big`)).toEqual(['cut', 70_000]);
    expect(await got(at)).toEqual(['cut', 5]);
    expect(await got(at)).toEqual(['cut', 0]);
    expect((await got(list))[0]).toBe('whole');
    expect(await got(`${at}/fs/read?path=big`)).toEqual(['whole', 200_000]);
  });
});

describe('a faulty WebSocket', () => {
  test.each([false, true])(
    'drop: ends without a close frame at that byte of the output; terminal: %p',
    async (tty) => {
      await using api = await lying({ on: WS_EXEC, kind: 'drop', after_bytes: 1000 });
      const at = await newSprite(api);
      const script = 'head -c 5000 /dev/zero | tr "\\0" a; sleep 100';
      using client = api.connect(`${at}/exec${shellQuery(script, tty ? { tty: 'true' } : {})}`);
      expect((await client.closed).code).toBe(1006);
      expect(tty ? client.output() : client.output(1)).toBe('a'.repeat(1000));
      // It goes on without us.
      using again = api.connect(`${at}/exec/${client.sessionId}`);
      await again.opened;
    },
  );

  test('no-exit: all output, then a close with this code or none, and no exit', async () => {
    await using api = await lying(
      { on: WS_EXEC, kind: 'no-exit' },
      { on: WS_EXEC, kind: 'no-exit', close_code: 1011 },
      { on: WS_EXEC, kind: 'no-exit', close_code: null },
    );
    const at = await newSprite(api);
    for (const [code, more] of [
      [1000, {}],
      [1011, { tty: 'true' }],
      [1006, {}],
    ] as const) {
      using client = api.connect(`${at}/exec${shellQuery('printf out; exit 3', more)}`);
      expect((await client.closed).code).toBe(code);
      expect(client.output(more.tty === undefined ? 1 : undefined)).toBe('out');
      expect([client.exitFrames, client.texts.filter(({ type }) => type === 'exit')]).toEqual([[], []]);
    }
  });

  test('late-close: the exit at once, the close later, also for who closes first when it answers not', async () => {
    await using api = await lying(
      { on: WS_EXEC, kind: 'late-close', delay_ms: 1500 },
      { on: WS_EXEC, kind: 'late-close', delay_ms: 60_000 },
      { on: WS_EXEC, kind: 'late-close', delay_ms: 1500, answers_close: false },
    );
    const at = await newSprite(api);
    const exitThenClose = async (closesFirst: boolean) => {
      const client = api.connect(`${at}/exec${shellQuery('exit 3')}`);
      const exited = new Promise<number>((resolve) => {
        client.ws.on('message', (data: Buffer, isBinary) => {
          if (isBinary && data[0] === 3) resolve(performance.now());
        });
      });
      const exitedAt = await exited;
      if (closesFirst) client.ws.close(1000);
      const { code } = await client.closed;
      expect(client.exitFrames).toEqual([3]);
      return { code, waitedMs: performance.now() - exitedAt };
    };
    const late = await exitThenClose(false);
    expect(late.code).toBe(1000);
    expect(late.waitedMs).toBeGreaterThan(1000);
    expect((await exitThenClose(true)).waitedMs).toBeLessThan(30_000);
    expect((await exitThenClose(true)).waitedMs).toBeGreaterThan(1000);
  }, 90_000);
});

describe('wisp serve --faults', () => {
  test('says loudly that it lies, even under --quiet, and does', async () => {
    using dir = tempDir();
    const file = dir.join('faults.json');
    writeFileSync(file, JSON.stringify({ faults: [{ on: 'GET /v1/sprites', kind: 'error', status: 500 }] }));
    const server = await startServe(dir.path, { args: ['--quiet', '--faults', file] });
    expect(server.stderr()).toContain('LIES ON PURPOSE');
    const status = async () =>
      (await fetch(`${server.url}/v1/sprites`, { headers: { Authorization: `Bearer ${server.token}` } }))
        .status;
    expect([await status(), await status()]).toEqual([500, 200]);
    server.child.kill('SIGTERM');
    await server.ended;
  });

  test('refuses a file it does not understand, saying where and why', async () => {
    using dir = tempDir();
    const file = dir.join('f.json');
    const message = async (content: unknown) => {
      writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
      const { code, message } = await wreckitErrorOf(() => readFaults(file, 'f.json'));
      expect(code).toBe('USAGE');
      return message;
    };
    const rule = (fields: object) =>
      message({ faults: [{ on: 'GET /v1/sprites', kind: 'error', ...fields }] });
    expect(await message('{')).toStartWith('--faults "f.json": it is not JSON');
    expect(await message([])).toContain('expected object');
    expect(await message({ faults: [] })).toContain('faults: ');
    expect(await message({ faults: [], extra: 1 })).toContain('"extra" means nothing here');
    expect(await rule({ kind: 'explode' })).toContain(
      'faults[0].kind: it is none of "rate-limited", "error"',
    );
    expect(await rule({ status: 200 })).toContain('faults[0].status: ');
    expect(await rule({ stauts: 500 })).toContain('faults[0]: "stauts" means nothing here');
    expect(await rule({ on: '/v1/sprites' })).toContain('faults[0].on: it is not a method and path');
    expect(await rule({ on: 'GET /v1/sprites?x=1' })).toContain('a path has no "?"');
    expect(await rule({ on: 'GET /v1/**/exec' })).toContain('faults[0].on: "*" stands for');
    expect(await rule({ kind: 'late-close', delay_ms: 5 })).toContain('only a WebSocket can do this');
    expect(await rule({ times: 0 })).toContain('faults[0].times: ');
    expect((await wreckitErrorOf(() => readFaults(dir.join('none'), 'none'))).message).toContain('ENOENT');
    writeFileSync(file, '{}');
    const env = { ...process.env, WISP_HOME: dir.join('home') } as Record<string, string>;
    const { exitCode, stdout } = await runWisp(['serve', '--json', '--faults', file], { env });
    expect([exitCode, JSON.parse(stdout).error.code]).toEqual([2, 'USAGE']);
  });
});
