/** Starts the dialer of a sprite (dialer-main.ts) and connects through it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { WreckitError } from '../../../errors.ts';
import { packageRoot } from '../../../package-root.ts';
import type { PortTarget } from '../../ports.ts';
import type { RunningSprite } from '../inside.ts';
import { requireTool, TOOL_ENV } from '../tools.ts';
import { type DialAnswer, readLine } from './dialer-protocol.ts';

const READY_TIMEOUT_MS = 15_000;

export class Dialer {
  readonly #child: ChildProcess;
  readonly #dir: string;
  readonly #socketName: string;

  constructor(child: ChildProcess, dir: string, socketName: string) {
    this.#child = child;
    this.#dir = dir;
    this.#socketName = socketName;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves to an errno when the target can't be reached. */
  async connect(target: PortTarget): Promise<Socket | string> {
    // By way of a descriptor: the path of a socket must be short, that of a state directory may be long.
    const dir = openSync(this.#dir, 'r');
    try {
      const socket = connect({ path: `/proc/self/fd/${dir}/${this.#socketName}`, allowHalfOpen: true });
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('error', reject);
      });
      return await introduce(socket, target);
    } finally {
      closeSync(dir);
    }
  }

  end(): void {
    this.#child.stdin?.end();
    rmSync(join(this.#dir, this.#socketName), { force: true });
  }
}

async function introduce(socket: Socket, target: PortTarget): Promise<Socket | string> {
  // Who reads hears of it; until then nobody does.
  socket.on('error', () => undefined);
  socket.write(`${JSON.stringify(target)}\n`);
  const line = await readLine(socket);
  const { errno } = line === null ? { errno: 'ECONNRESET' } : (JSON.parse(line) as DialAnswer);
  if (errno === null) return socket;
  socket.destroy();
  return errno;
}

/** Throws `ENGINE_UNAVAILABLE`. */
export async function startDialer(sprite: RunningSprite, rootless: boolean): Promise<Dialer> {
  const dir = join(sprite.dir, 'ports');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const socketName = `${process.pid}-${Math.random().toString(36).slice(2, 10)}.sock`;
  const namespaces = rootless ? ['--user', '--preserve-credentials', '--net'] : ['--net'];
  const init = String(sprite.initPid);
  const wisp = join(packageRoot(), 'bin', 'wisp');
  const child = spawn(
    requireTool('nsenter', 'util-linux'),
    ['--target', init, ...namespaces, '--', wisp, 'port-dialer', '--init', init, '--socket', socketName],
    { cwd: dir, env: { ...TOOL_ENV, HOME: '/' }, stdio: ['pipe', 'pipe', 'pipe'] },
  );
  await ready(child);
  // It must not keep the program alive that started it.
  child.unref();
  child.stdin.on('error', () => undefined);
  for (const stream of [child.stdin, child.stdout, child.stderr]) {
    if ('unref' in stream && typeof stream.unref === 'function') stream.unref();
  }
  return new Dialer(child, dir, socketName);
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (why: string): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new WreckitError('ENGINE_UNAVAILABLE', `ports: the dialer did not start: ${why}`));
    };
    const timer = setTimeout(() => fail('no answer in time'), READY_TIMEOUT_MS);
    child.once('error', ({ message }) => fail(message));
    child.once('exit', (code) => fail(said.trim().split('\n').at(-1) || `exit code ${code}`));
    child.stderr?.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString('latin1')).slice(-2000);
    });
    child.stdout?.once('data', () => {
      clearTimeout(timer);
      child.removeAllListeners('exit');
      child.removeAllListeners('error');
      child.on('error', () => undefined);
      resolve();
    });
  });
}
