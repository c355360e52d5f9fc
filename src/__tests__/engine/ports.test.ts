import { describe, expect, test } from 'bun:test';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import type { ListeningPort } from '../../engine/engine.ts';
import { NO_SOCKETS, parseProcNet, parseSockstat } from '../../engine/local/ports/proc-net.ts';
import { eventually } from '../helpers/eventually.ts';
import { localSprite } from '../helpers/local-sprite.ts';

/** A server that says how much it got once the other side has ended, and only then ends its own. */
const COUNTER = `require('net').createServer({allowHalfOpen:true},c=>{let n=0;c.on('data',d=>n+=d.length);c.on('end',()=>c.end('got '+n))}).listen(7001,'127.0.0.1')`;
const ECHO_V6 = `require('net').createServer(c=>c.pipe(c)).listen(7002,'::1')`;

async function read(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('ports of a sprite', () => {
  test('are seen when they open and close, and belong to the sprite alone', async () => {
    await using sprite = await localSprite();
    const { ports } = sprite.engine;
    const host = createServer().listen(0, '127.0.0.1');
    const abort = new AbortController();
    const seen: (readonly ListeningPort[])[] = [];
    const watching = (async () => {
      for await (const list of ports.watch(sprite.name, { signal: abort.signal })) seen.push(list);
    })();
    await eventually(() => seen.length === 1);
    expect(seen[0]).toEqual([]);
    const startedAt = performance.now();
    await using session = await sprite.engine.openSession(sprite.name, { command: ['node', '-e', COUNTER] });
    await eventually(() => seen.at(-1)?.length === 1, { timeoutMs: 20_000 });
    expect(seen.at(-1)).toEqual([{ port: 7001, address: '127.0.0.1', pid: expect.any(Number) }]);
    expect(await ports.list(sprite.name)).toEqual(seen.at(-1) ?? []);
    const { pid } = seen.at(-1)?.[0] ?? { pid: 0 };
    expect((await sprite.exec(`cat /proc/${pid}/comm`)).stdout.trim()).toMatch(/node|MainThread/);
    const openedMs = performance.now() - startedAt;
    await sprite.engine.killSession(sprite.name, session.id, { name: 'SIGKILL' });
    await eventually(() => seen.at(-1)?.length === 0, { timeoutMs: 5000 });
    expect(openedMs).toBeLessThan(20_000);
    abort.abort();
    await watching;
    host.close();
  });

  test('carry bytes both ways, with each side ending on its own', async () => {
    await using sprite = await localSprite();
    const { engine, name } = sprite;
    await using _counter = await engine.openSession(name, {
      command: ['node', '-e', `${COUNTER};${ECHO_V6}`],
    });
    await eventually(async () => (await engine.ports.list(name)).length === 2, { timeoutMs: 20_000 });
    const counted = await engine.ports.connect(name, { host: 'localhost', port: 7001 });
    for (let count = 0; count < 50; count += 1) counted.write(Buffer.alloc(100_000));
    counted.end();
    expect(await read(counted)).toBe('got 5000000');
    const echoes = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const stream = await engine.ports.connect(name, { host: 'localhost', port: 7002 });
        stream.end(`hello ${index}`);
        return await read(stream);
      }),
    );
    expect(echoes).toEqual(Array.from({ length: 50 }, (_, index) => `hello ${index}`));
  });

  test('that nobody listens on, and hosts that cannot be reached, are told by errno', async () => {
    await using sprite = await localSprite();
    const { engine, name } = sprite;
    const errnoOf = (host: string, port: number) =>
      engine.ports.connect(name, { host, port }).then(
        () => 'connected',
        (thrown: { code: string; details: { errno?: string } }) => thrown.details.errno ?? thrown.code,
      );
    expect(await errnoOf('localhost', 9)).toBe('ECONNREFUSED');
    // Bun calls every connection that fails refused.
    expect(await errnoOf('8.8.8.8', 53)).toMatch(/^(ENETUNREACH|ECONNREFUSED)$/);
    for (const [host, port] of [
      ['localhost', 0],
      ['localhost', 70_000],
      ['a b', 80],
      ['x\n', 80],
    ] as const) {
      expect(await errnoOf(host, port)).toBe('USAGE');
    }
    await expect(engine.ports.connect('nosuch', { host: 'localhost', port: 80 })).rejects.toMatchObject({
      code: 'SPRITE_NOT_FOUND',
    });
  });

  test('of the host are not those of a sprite without a network', async () => {
    await using sprite = await localSprite();
    const server = createServer((socket) => socket.end('host')).listen(0, '127.0.0.1');
    await eventually(() => server.listening);
    const { port } = server.address() as { port: number };
    await expect(sprite.engine.ports.connect(sprite.name, { host: 'localhost', port })).rejects.toMatchObject(
      {
        code: 'CONFLICT',
      },
    );
    server.close();
  });

  test('of the host are not those of a sprite that shares its network, either', async () => {
    await using sprite = await localSprite({ network: 'open' });
    const server = createServer((socket) => socket.end('host')).listen(0, '127.0.0.1');
    await eventually(() => server.listening);
    const { port } = server.address() as { port: number };
    expect((await sprite.engine.ports.list(sprite.name)).map((each) => each.port)).not.toContain(port);
    server.close();
  });

  test('that a process shares with its workers are its own', async () => {
    await using sprite = await localSprite();
    const worker =
      'process.on("message", (_, server) => { globalThis.kept = server; process.send("taken"); })';
    const parent = `
      const server = require('net').createServer().listen(7001, '127.0.0.1', () => {
        const stdio = ['ignore', 'ignore', 'ignore', 'ipc'];
        const child = require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(worker)}], { stdio });
        child.on('message', () => console.log(process.pid, child.pid));
        child.send('take', server);
      });`;
    await using session = await sprite.engine.openSession(sprite.name, { command: ['node', '-e', parent] });
    let said = '';
    for await (const { bytes } of session.output({ follow: true })) {
      said += Buffer.from(bytes);
      if (said.includes('\n')) break;
    }
    const [pid] = said.split(' ').map(Number);
    expect(await sprite.engine.ports.list(sprite.name)).toEqual([
      { port: 7001, address: '127.0.0.1', pid: pid ?? 0 },
    ]);
  });

  test('wake a sprite that sleeps, and are none while it does', async () => {
    await using sprite = await localSprite();
    const { engine, name } = sprite;
    await engine.stop(name);
    expect(await engine.ports.list(name)).toEqual([]);
    await expect(engine.ports.connect(name, { host: 'localhost', port: 9 })).rejects.toMatchObject({
      details: { errno: 'ECONNREFUSED' },
    });
    expect((await engine.list())[0]?.state).toBe('running');
    await engine.stop(name);
    await engine.wake(name);
    await expect(engine.ports.connect(name, { host: 'localhost', port: 9 })).rejects.toMatchObject({
      details: { errno: 'ECONNREFUSED' },
    });
  });
});

describe('parseProcNet()', () => {
  test('reads addresses of both families, and listening sockets only', () => {
    const line = (address: string, state: string, inode: number) =>
      `   0: ${address} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0 100 0`;
    const text = [
      '  sl  local_address rem_address   st',
      line('0100007F:1F90', '0A', 11),
      line('00000000:0050', '0A', 12),
      line('0100007F:1F91', '01', 13),
      line('00000000000000000000000000000000:0050', '0A', 14),
      line('00000000000000000000000001000000:0051', '0A', 15),
      line('0000000000000000FFFF00000100007F:0052', '0A', 16),
      line('B80D01200000000000000000010000AB:0053', '0A', 17),
      '',
    ].join('\n');
    expect(parseProcNet(text).map(({ address, port, inode }) => `${address} ${port} ${inode}`)).toEqual([
      '127.0.0.1 8080 11',
      '0.0.0.0 80 12',
      ':: 80 14',
      '::1 81 15',
      '127.0.0.1 82 16',
      '2001:db8::ab00:1 83 17',
    ]);
  });

  test('agrees with the kernel about a socket of this process', async () => {
    const child = spawn('node', [
      '-e',
      "require('net').createServer().listen(0,'::1',function(){console.log(this.address().port)})",
    ]);
    const port = await new Promise<number>((resolve) =>
      child.stdout.once('data', (text) => resolve(Number(text))),
    );
    const listed = parseProcNet(await Bun.file('/proc/net/tcp6').text());
    child.kill('SIGKILL');
    expect(listed.some((each) => each.port === port && each.address === '::1')).toBe(true);
  });
});

test('parseSockstat() tells how many sockets there are, and what it does not know', () => {
  const ipv4 = (count: number) =>
    `sockets: used 3\nTCP: inuse ${count} orphan 0 tw 0 alloc 2 mem 0\nUDP: inuse 9 mem 0\n`;
  const ipv6 = (count: number) => `TCP6: inuse ${count}\nUDP6: inuse 9\n`;
  expect(parseSockstat(ipv4(0), ipv6(0))).toBe(NO_SOCKETS);
  expect(parseSockstat(ipv4(0), '')).toBe(NO_SOCKETS);
  expect(parseSockstat(ipv4(12), ipv6(3))).toBe('12 3');
  expect(parseSockstat('', '')).not.toBe(NO_SOCKETS);
});
