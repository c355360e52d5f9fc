/**
 * How the host runs something inside a sprite: always through the OCI runtime, with the sprite's namespaces,
 * limits, system call filter and capabilities. What is run is described in a file of mode 0600 below the
 * sprite's directory, so that neither arguments nor environment show in the host's process list.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RunOptions, type RunResult, run } from '../../process/run.ts';
import { TOOL_ENV } from './tools.ts';

export interface SpriteAccount {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly capabilities: readonly string[];
}

/** A sprite whose PID 1 runs: what is needed to run something in it. */
export interface RunningSprite {
  readonly name: string;
  readonly id: string;
  /** Its state directory on the host, mode 0700. */
  readonly dir: string;
  /** The OCI runtime's path, and its `--root`. */
  readonly runtime: string;
  readonly runtimeRoot: string;
  readonly containerId: string;
  /** Host pid of the sprite's PID 1. */
  readonly initPid: number;
  /** PATH, HOME, USER, LANG and what the sprite was started with. */
  readonly env: Readonly<Record<string, string>>;
  readonly home: string;
  readonly users: { readonly sprite: SpriteAccount; readonly root: SpriteAccount };
  /** OCI `rlimits` for every process. */
  readonly rlimits: readonly object[];
}

export interface InsideRequest {
  readonly command: readonly string[];
  readonly user: 'sprite' | 'root';
  /** Absolute path inside. */
  readonly dir: string;
  /** Merged over the sprite's environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

export interface ExecFlags {
  readonly pidFile?: string | undefined;
  /** Descriptors 3 to 2+n are passed on. */
  readonly preserveFds?: number | undefined;
}

/** Root runs nothing out of the sprite user's own directories by accident. */
const ROOT_ENV = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  USER: 'root',
  LOGNAME: 'root',
};

/** Writes the OCI process description (config.md, "process"). The caller removes it once the process runs. */
export function writeProcessFile(path: string, sprite: RunningSprite, request: InsideRequest): void {
  const account = sprite.users[request.user];
  const own = request.user === 'root' ? { ...ROOT_ENV, HOME: account.home } : {};
  const env = { ...sprite.env, ...own, ...request.env };
  const { capabilities } = account;
  const description = {
    terminal: false,
    user: { uid: account.uid, gid: account.gid },
    args: request.command,
    env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    cwd: request.dir,
    capabilities: {
      bounding: capabilities,
      effective: capabilities,
      permitted: capabilities,
      inheritable: [],
      ambient: [],
    },
    rlimits: sprite.rlimits,
    noNewPrivileges: true,
  };
  writeFileSync(path, JSON.stringify(description), { mode: 0o600, flag: 'wx' });
}

/** Host argv that runs what `processFile` describes. Its umask is that of the command (runc 1.1 sets none). */
export function execArgv(sprite: RunningSprite, processFile: string, flags: ExecFlags = {}): string[] {
  const argv = [sprite.runtime, '--root', sprite.runtimeRoot, 'exec', '--process', processFile];
  if (flags.pidFile !== undefined) argv.push('--pid-file', flags.pidFile);
  if (flags.preserveFds !== undefined) argv.push('--preserve-fds', String(flags.preserveFds));
  return [...argv, sprite.containerId];
}

export interface Entrance extends Disposable {
  readonly argv: string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A host command that runs `request` inside; disposed of once it has ended. */
export function enter(sprite: RunningSprite, request: InsideRequest): Entrance {
  const dir = join(sprite.dir, 'exec');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const processFile = join(dir, `${process.pid}-${Math.random().toString(36).slice(2, 12)}.json`);
  writeProcessFile(processFile, sprite, request);
  return {
    argv: ['/bin/sh', '-c', 'umask 022; exec "$@"', 'sh', ...execArgv(sprite, processFile)],
    env: TOOL_ENV,
    [Symbol.dispose]: () => rmSync(processFile, { force: true }),
  };
}

/** Runs a program inside to its end, without a session record (files, signals, readiness). */
export async function runInside(
  sprite: RunningSprite,
  request: InsideRequest,
  options: Omit<RunOptions, 'env' | 'cwd'> = {},
): Promise<RunResult> {
  using entrance = enter(sprite, request);
  return await run(entrance.argv, { ...options, env: entrance.env });
}
