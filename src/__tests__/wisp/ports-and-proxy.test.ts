/** `ports` and `proxy` of wisp and of wreckit, as programs, on a real sprite that sleeps and wakes. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { ProxyDataSchema } from '../../contract/schemas.ts';
import { LocalEngine } from '../../engine/local/local-engine.ts';
import { packageRoot } from '../../package-root.ts';
import { describeAsRoot } from '../helpers/as-root.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { Client, WispProcess } from './wisp-process.ts';

const GENEROUS = { timeoutMs: 30_000 };
/** 7000 echoes; 7001 says everything it got once the other side has ended; 7002 answers HTTP. */
const SERVERS = `
const net = require('net');
net.createServer((c) => c.pipe(c)).listen(7000, '127.0.0.1');
net.createServer({ allowHalfOpen: true }, (c) => {
  let got = 0;
  c.on('data', (d) => { got += d.length; });
  c.on('end', () => c.end('got ' + got));
}).listen(7001, '127.0.0.1');
require('http').createServer((q, r) => r.end('hello\\n')).listen(7002);
`;

const dir = tempDir();
const home = dir.join('wisp');
const wisp = new WispProcess(home);
const engine = new LocalEngine({ env: wisp.env });

async function serve(): Promise<void> {
  const session = await engine.openSession('demo', { command: ['node', '-e', SERVERS] });
  await session[Symbol.asyncDispose]();
  await eventually(async () => (await engine.ports.list('demo')).length === 3, GENEROUS);
}

beforeAll(async () => {
  await engine.start({ name: 'demo' });
  await serve();
});

afterAll(async () => {
  for (const { name } of await engine.list()) await engine.kill(name);
  dir[Symbol.dispose]();
});

async function proxied(client: Client): Promise<number[]> {
  await eventually(() => client.stdout.includes('\n'), GENEROUS);
  const { success, data } = JSON.parse(client.stdout);
  expect(success).toBe(true);
  return ProxyDataSchema.parse(data).tunnels.map(({ local_port: port }) => port);
}

function dial(port: number): Socket {
  return connect({ host: '127.0.0.1', port, allowHalfOpen: true });
}

/** What comes until the end, after `send` and, where wanted, our own end. */
async function exchange(port: number, send: Buffer | string, isEnding = true): Promise<string> {
  const socket = dial(port);
  if (isEnding) socket.end(send);
  else socket.write(send);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('wisp ports', () => {
  test('lists what listens, for people and as a document', async () => {
    const { exitCode, document } = await wisp.json(['ports', 'demo']);
    expect([exitCode, document.verb]).toEqual([0, 'ports']);
    expect(document.data.ports.map(({ port }: { port: number }) => port)).toEqual([7000, 7001, 7002]);
    const { stdout } = await wisp.text(['ports', 'demo']);
    expect(stdout).toMatch(/^PORT +ADDRESS +PROCESS\n7000 +127\.0\.0\.1 +\d+\n/);
  });

  test('--watch tells what opens and closes within a second, as numbered lines, until it is interrupted', async () => {
    await using client = wisp.start(['ports', 'demo', '--watch', '--json']);
    const lines = () =>
      client.stdout
        .trim()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    await eventually(() => lines().length === 1, GENEROUS);
    expect(lines()[0]).toMatchObject({ type: 'port_list', seq: 1, ports: [{ port: 7000 }, {}, {}] });
    const session = await engine.openSession('demo', {
      command: ['node', '-e', `require('net').createServer().listen(7009, '0.0.0.0')`],
    });
    await session[Symbol.asyncDispose]();
    await eventually(() => lines().length === 2, GENEROUS);
    expect(lines()[1]).toMatchObject({ type: 'port_opened', seq: 2, port: 7009, address: '0.0.0.0' });
    const killedAt = Date.now();
    await engine.killSession('demo', session.id, { name: 'SIGKILL' });
    await eventually(() => lines().length === 3, GENEROUS);
    expect(lines()[2]).toMatchObject({ type: 'port_closed', seq: 3, port: 7009 });
    expect(Date.parse(lines()[2].time)).toBeGreaterThanOrEqual(killedAt - 1);
    client.child.kill('SIGINT');
    expect(await client.exited).toBe(130);
  });

  test('--watch of a sprite that is killed says so and ends', async () => {
    await engine.start({ name: 'brief' });
    await using client = wisp.start(['ports', 'brief', '--watch', '--json']);
    await eventually(() => client.stdout.includes('port_list'), GENEROUS);
    await engine.kill('brief');
    expect(await client.exited).toBe(3);
    expect(JSON.parse(client.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({
      type: 'error',
      error: { code: 'SPRITE_NOT_FOUND' },
    });
  });
});

describe('wisp proxy', () => {
  test('prints a URL that answers, and ends cleanly with Ctrl+C though a connection is open', async () => {
    await using client = wisp.start(['proxy', 'demo', '0:7002', '0:7000']);
    await eventually(() => client.stdout.split('\n').length === 3, GENEROUS);
    const [, url = ''] =
      /^(http:\/\/127\.0\.0\.1:\d+) forwards to port 7002 of demo$/m.exec(client.stdout) ?? [];
    expect(await (await fetch(url)).text()).toBe('hello\n');
    const port = Number(/:(\d+) forwards to port 7000/.exec(client.stdout)?.[1]);
    const open = dial(port);
    open.on('error', () => undefined);
    open.write('x');
    await once(open, 'data');
    client.child.kill('SIGINT');
    expect(await client.exited).toBe(130);
    expect(client.stderr).toBe('');
    if (!open.closed) await once(open, 'close');
    await expect(exchange(port, '')).rejects.toThrow('ECONNREFUSED');
  });

  test('carries many connections at once, bytes whole, and the end of each direction by itself', async () => {
    await using client = wisp.start(['proxy', 'demo', '0:7000', '0:7001', '--json']);
    const [echo = 0, count = 0] = await proxied(client);
    const all = Array.from({ length: 40 }, (_, index) => {
      const bytes = Buffer.alloc(50_000 + index, String.fromCharCode(97 + (index % 26)));
      return exchange(echo, bytes).then((text) => text === bytes.toString());
    });
    expect(new Set(await Promise.all(all))).toEqual(new Set([true]));
    // Our end is the server's cue; its answer comes after it.
    expect(await exchange(count, Buffer.alloc(3_000_000))).toBe('got 3000000');
  });

  test('says why a connection came to nothing, resets it, and goes on', async () => {
    await using client = wisp.start(['proxy', 'demo', '0:9', '0:7000', '--json']);
    const [closed = 0, echo = 0] = await proxied(client);
    await expect(exchange(closed, 'x')).rejects.toThrow('ECONNRESET');
    await eventually(() =>
      client.stderr.includes('port 9 of demo: connect to localhost:9: connection refused'),
    );
    expect(await exchange(echo, 'still here')).toBe('still here');
  });

  test('refuses a port that is taken and names who has it, and a sprite there is none of', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    try {
      const { exitCode, document } = await wisp.json(['proxy', 'demo', '0:7002', `${port}:7000`]);
      expect([exitCode, document.error.code]).toEqual([5, 'CONFLICT']);
      expect(document.error.message).toContain(`port ${port} of this machine is taken`);
      expect(document.error.details.pid).toBe(process.pid);
      expect(document.error.hint).toContain('wisp proxy demo 0:7000');
    } finally {
      taken.close();
    }
    expect((await wisp.json(['proxy', 'nosuch', '0:80'])).document.error.code).toBe('SPRITE_NOT_FOUND');
  });
});

describeAsRoot('wisp proxy and sleep', () => {
  test('a connection wakes a warm sprite and keeps it awake; the tunnel alone lets it sleep', async () => {
    await using server = wisp.start(['serve', '--warm-after', '700ms', '--cold-after', 'never']);
    await using client = wisp.start(['proxy', 'demo', '0:7000', '--json']);
    const [port = 0] = await proxied(client);
    const state = async () => (await engine.list()).find(({ name }) => name === 'demo')?.state;
    await eventually(async () => (await state()) === 'warm', GENEROUS);
    for (let round = 0; round < 3; round += 1) {
      expect(await exchange(port, `round ${round}`)).toBe(`round ${round}`);
      await eventually(async () => (await state()) === 'warm', GENEROUS);
    }
    const open = dial(port);
    open.write('held');
    expect(String((await once(open, 'data'))[0])).toBe('held');
    await Bun.sleep(2_000);
    expect(await state()).toBe('running');
    open.destroy();
    await eventually(async () => (await state()) === 'warm', GENEROUS);
    await eventually(() => server.stderr.includes('"event":"sprite_asleep"'), GENEROUS);
    server.child.kill('SIGTERM');
    expect(await server.exited).toBe(143);
  }, 60_000);

  test('a connection wakes a cold sprite and waits for what listens there', async () => {
    await using client = wisp.start(['proxy', 'demo', '0:7000', '--json']);
    const [port = 0] = await proxied(client);
    await engine.stop('demo');
    // What is started with the sprite comes a moment after it.
    const answer = exchange(port, 'up again');
    await eventually(
      async () => (await engine.list()).find(({ name }) => name === 'demo')?.state === 'running',
    );
    await serve();
    expect(await answer).toBe('up again');
  });
});

describeAsRoot('a frozen sprite', () => {
  const freeze = async () => {
    const asleep = wisp.start(['serve', '--warm-after', '200ms', '--cold-after', 'never']);
    const isWarm = async () => (await engine.list()).find(({ name }) => name === 'demo')?.state === 'warm';
    await eventually(isWarm, GENEROUS);
    // Nobody is left to wake it but who wants something of it.
    await asleep[Symbol.asyncDispose]();
    expect(await isWarm()).toBe(true);
  };

  test('goes on for logs --follow and attach, and stays awake for wake --keep', async () => {
    const script = 'read go; echo "went on $go"';
    const session = await engine.openSession('demo', {
      command: ['sh', '-c', script],
      tty: { cols: 80, rows: 24 },
      stdin: true,
    });
    await session[Symbol.asyncDispose]();
    await freeze();
    const printed = await wisp.json(['attach', 'demo', session.id]);
    expect(printed.document.data.session.state).toBe('running');
    await using follower = wisp.start(['logs', 'demo', session.id, '--follow']);
    await eventually(async () => (await engine.list())[0]?.state === 'running', GENEROUS);
    await using back = await engine.session('demo', session.id);
    await back.write(Buffer.from('now\r'));
    expect(await follower.exited).toBe(0);
    expect(follower.stdout).toContain('went on now');
    await freeze();
    const { document } = await wisp.json(['wake', 'demo', '--keep', '1h']);
    expect(document.data.sprite.state).toBe('running');
    expect((await engine.sleep.tasks('demo')).map(({ name }) => name)).toEqual(['wake']);
    await engine.sleep.removeTask('demo', 'wake');
  }, 60_000);

  test('is started with a time of its own', async () => {
    const { document } = await wisp.json(['start', 'own', '--idle-timeout', 'never']);
    expect(document.data.sprite.idle_timeout_ms).toBe(0);
    expect((await wisp.text(['info', 'own'])).stdout).toMatch(/^sleeps +never$/m);
    const again = await wisp.json(['start', 'own', '--idle-timeout', '5m']);
    expect(again.document.data.sprite.idle_timeout_ms).toBe(300_000);
    await engine.kill('own');
  });
});

describe('wreckit sprite', () => {
  const start = (...args: string[]): Client =>
    new Client(
      spawn(join(packageRoot(), 'bin', 'wreckit'), ['sprite', ...args], { env: wisp.env, cwd: dir.path }),
    );

  test('proxy tells the tunnels in its own name, hands Ctrl+C on and ends with 130', async () => {
    await using client = start('proxy', 'demo', '0:7000', '--json');
    const [port = 0] = await proxied(client);
    expect(JSON.parse(client.stdout)).toMatchObject({ verb: 'sprite proxy', data: { sprite: 'demo' } });
    expect(await exchange(port, 'through both')).toBe('through both');
    client.child.kill('SIGINT');
    expect(await client.exited).toBe(130);
    await expect(exchange(port, '')).rejects.toThrow('ECONNREFUSED');
  });

  test('proxy fails as wisp does', async () => {
    await using client = start('proxy', 'nosuch', '0:80', '--json');
    expect(await client.exited).toBe(3);
    expect(JSON.parse(client.stdout)).toMatchObject({
      success: false,
      verb: 'sprite proxy',
      error: { code: 'SPRITE_NOT_FOUND' },
    });
  });

  test('ports lists and watches', async () => {
    await using list = start('ports', 'demo', '--json');
    expect(await list.exited).toBe(0);
    expect(JSON.parse(list.stdout)).toMatchObject({
      verb: 'sprite ports',
      data: { ports: [{ port: 7000 }, {}, {}] },
    });
    await using watch = start('ports', 'demo', '--watch', '--json');
    await eventually(() => watch.stdout.includes('port_list'), GENEROUS);
    watch.child.kill('SIGTERM');
    expect(await watch.exited).toBe(143);
  });
});
