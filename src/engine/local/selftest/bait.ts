/** Things of the host, made for the attempts, that nothing in a sprite may reach. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { TOOL_ENV } from '../tools.ts';

export interface Bait {
  readonly pid: number;
  /** In that process's environment, and in the file. */
  readonly secret: string;
  readonly secretFile: string;
  /** On the loopback of the host. */
  readonly port: number;
  readonly socketPath: string;
  /** Without its leading NUL. */
  readonly abstractName: string;
}

const LIFE_S = '600';

/** `dir`: made, and removed at the end; its path is to be short. */
export async function layBait(dir: string): Promise<Bait & AsyncDisposable> {
  const mark = `wisp-bait-${process.pid}-${Math.random().toString(36).slice(2, 10)}`;
  const secret = `secret-of-${mark}`;
  const secretFile = join(dir, 'secret');
  const socketPath = join(dir, 's');
  const servers = [createServer(), createServer(), createServer()] as const;
  let child: ChildProcess | undefined;
  const clear = async (): Promise<void> => {
    child?.kill('SIGKILL');
    for (const server of servers) if (server.listening) await new Promise((resolve) => server.close(resolve));
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    mkdirSync(dir, { recursive: true, mode: 0o755 });
    writeFileSync(secretFile, secret, { mode: 0o644 });
    child = spawn('sleep', [LIFE_S], { env: { ...TOOL_ENV, WISP_BAIT: secret }, stdio: 'ignore' });
    await once(child, 'spawn');
    await listen(servers[0], { host: '127.0.0.1', port: 0 });
    await listen(servers[1], { path: socketPath });
    await listen(servers[2], { path: `\0${mark}` });
  } catch (error) {
    await clear();
    throw error;
  }
  const address = servers[0].address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const bait = { pid: child.pid ?? 0, secret, secretFile, port, socketPath, abstractName: mark };
  return { ...bait, [Symbol.asyncDispose]: clear };
}

async function listen(server: Server, at: { host?: string; port?: number; path?: string }): Promise<void> {
  server.listen(at);
  await once(server, 'listening');
}
