/**
 * `wisp serve`: a command over a WebSocket against the runtime alone, 1 GiB of its output against the runtime and a
 * pipe. The client counts bytes and reads the frames' heads, no more.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../src/package-root.ts';
import { call, median } from '../measure.ts';
import { isWithin, type Limit, limitText, milliseconds, type Row } from '../report.ts';
import type { World } from '../world.ts';

const EXEC_ROUNDS = 15;
const STREAM_ROUNDS = 3;
const SIZE_BYTES = 1024 ** 3;
const GENERATE = ['head', '-c', String(SIZE_BYTES), '/dev/zero'];

interface Server {
  readonly port: number;
  readonly token: string;
  readonly end: () => Promise<void>;
}

export async function serveRows(world: World): Promise<Row[]> {
  call(world.wreckit('sprite', 'start', 'served'));
  const bundle = world.rawBundle('served');
  call(world.raw('run', '--detach', '--bundle', bundle, 'raw'));
  const server = await serve(world);
  try {
    return [await execRow(world, server), ...(await streamRows(world, server))];
  } finally {
    await server.end();
    call(world.raw('delete', '--force', 'raw'));
    call(world.wreckit('sprite', 'kill', 'served'));
  }
}

async function execRow(world: World, server: Server): Promise<Row> {
  const own: number[] = [];
  const reference: number[] = [];
  for (let round = -1; round < EXEC_ROUNDS; round += 1) {
    const ownMs = await timed(() => exec(server, ['true']));
    const rawMs = await timed(async () => call(world.raw('exec', 'raw', 'true')));
    if (round < 0) continue;
    own.push(ownMs);
    reference.push(rawMs);
  }
  const [medianMs, referenceMs] = [median(own), median(reference)];
  const limit: Limit = { kind: 'most', bound: 1.5, unit: '×' };
  return {
    what: 'a command through wisp serve',
    measured: milliseconds(medianMs),
    reference: `${world.runtime} exec: ${milliseconds(referenceMs)}`,
    value: `${(medianMs / referenceMs).toFixed(2)}×`,
    target: limitText(limit),
    isMet: isWithin(medianMs / referenceMs, limit),
  };
}

async function streamRows(world: World, server: Server): Promise<Row[]> {
  const own: number[] = [];
  const reference: number[] = [];
  for (let round = 0; round < STREAM_ROUNDS; round += 1) {
    own.push(await timed(() => exec(server, GENERATE, SIZE_BYTES)));
    const command = world.raw('exec', 'raw', ...GENERATE);
    const argv = ['/bin/sh', '-c', '"$@" | cat', 'sh', ...command.argv] as const;
    reference.push(await timed(async () => call({ ...command, argv })));
  }
  const rate = (elapsedMs: number): number => SIZE_BYTES / 1e6 / (elapsedMs / 1000);
  const [ownRate, referenceRate] = [rate(median(own)), rate(median(reference))];
  const limit: Limit = { kind: 'least', bound: 500, unit: ' MB/s' };
  const share: Limit = { kind: 'least', bound: 0.5, unit: '×' };
  const raw = `${world.runtime} exec … | cat: ${referenceRate.toFixed(0)} MB/s`;
  return [
    {
      what: '1 GiB through wisp serve, beside the runtime alone',
      measured: `${ownRate.toFixed(0)} MB/s`,
      reference: raw,
      value: `${(ownRate / referenceRate).toFixed(2)}×`,
      target: limitText(share),
      isMet: isWithin(ownRate / referenceRate, share),
    },
    {
      what: '1 GiB through wisp serve, over a WebSocket',
      measured: milliseconds(median(own)),
      reference: raw,
      value: `${ownRate.toFixed(0)} MB/s`,
      target: limitText(limit),
      isMet: isWithin(ownRate, limit),
    },
  ];
}

async function timed(action: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await action();
  return performance.now() - startedAt;
}

/** A server of its own, on TCP alone. */
async function serve(world: World): Promise<Server> {
  const wisp = join(packageRoot(), 'bin', 'wisp');
  const child = spawn(wisp, ['serve', '--quiet', '--no-socket', '--listen', '127.0.0.1:0', '--json'], {
    env: world.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { data } = JSON.parse(line) as { data: { url: string; token_file: string } };
  return {
    port: Number(new URL(data.url).port),
    token: readFileSync(data.token_file, 'utf8').trim(),
    end: async () => {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/** Resolves at the exit frame of 0, which a message of two bytes can only be at the end; or after `bytes`. */
function exec({ port, token }: Server, command: readonly string[], bytes = 0): Promise<void> {
  const query = new URLSearchParams(command.map((word): [string, string] => ['cmd', word]));
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let received = 0;
    let tail: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
      tail =
        chunk.length >= TAIL_BYTES
          ? chunk.subarray(-TAIL_BYTES)
          : Buffer.concat([tail, chunk]).subarray(-TAIL_BYTES);
      if (received < bytes || !tail.includes(EXIT_FRAME)) return;
      resolve();
      socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`${command.join(' ')}: the connection ended early`)));
    socket.write(
      `GET /v1/sprites/served/exec?${query} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n` +
        'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
  });
}

/** Where the exit frame is: what follows it is short. */
const TAIL_BYTES = 256;
/** Binary, two bytes: the exit code, which is 0. */
const EXIT_FRAME = Buffer.of(0x82, 2, 3, 0);
