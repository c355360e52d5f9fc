/** Where the work tools work: inside a sprite, or, where the user wants no sandbox, in the project on this machine. */
import fs from 'node:fs/promises';
import path from 'node:path';
import { quote } from '../../contract/names.ts';
import { errnoOf, errorOf, WreckitError } from '../../errors.ts';
import { run } from '../../process/run.ts';
import { decodeUtf8 } from '../../process/text.ts';
import { machineEnv } from '../agent-env.ts';
import type { AgentPlace } from '../agent-options.ts';
import type { Budget } from './budget.ts';

export interface PlaceOutcome {
  /** null: a signal ended it. */
  readonly exitCode: number | null;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  readonly truncatedBytes: number;
  readonly timedOut: boolean;
}

export interface PlaceExecOptions {
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface WorkPlace {
  /** For people. */
  readonly label: string;
  /** The project's directory there. */
  readonly dir: string;
  /** Throws `PATH_INVALID` for a path that the tools for files have no business with. */
  assertReachable(file: string): Promise<void>;
  /** `argv` in the project's directory. */
  exec(argv: readonly string[], options: PlaceExecOptions): Promise<PlaceOutcome>;
  /** Throws `PATH_INVALID` where there is no such file, or it is more than `maxBytes`. */
  read(
    file: string,
    options: { readonly maxBytes: number; readonly signal: AbortSignal },
  ): Promise<Uint8Array>;
  /** The mode of a file that is there stays. */
  write(file: string, content: Uint8Array, options: { readonly signal: AbortSignal }): Promise<void>;
}

/** What a call may end with whose time is up: the contract's code for it, or the signal that ended the command. */
const LATE_EXITS = [7, 137, 143];

export function spritePlace({ client, sprite, dir }: AgentPlace, budget: Budget): WorkPlace {
  const at = (file: string): string => (file.startsWith('/') ? file : path.posix.join(dir, file));
  return {
    label: `sprite ${sprite}`,
    dir,
    assertReachable: async () => undefined,
    async exec(argv, { timeoutMs, maxBytes, signal }) {
      using _slot = budget.takeExec();
      const startedAt = performance.now();
      const commandTimeout = `${Math.ceil(timeoutMs)}ms`;
      const done = await client.execCapture(sprite, argv, { dir, commandTimeout, maxBytes, signal });
      if (done.exitCode === 125) {
        const reason = decodeUtf8(done.stderr).trim().split('\n').at(-1) ?? '';
        throw errorOf('SPRITE_EXEC_FAILED', `run a command in sprite "${sprite}": ${reason}`);
      }
      const isLate = performance.now() - startedAt >= timeoutMs;
      return { ...done, timedOut: isLate && LATE_EXITS.includes(done.exitCode) };
    },
    read: (file, options) => client.readFile(sprite, at(file), options),
    async write(file, content, { signal }) {
      await client.writeFile(sprite, at(file), content, { signal });
    },
  };
}

export interface HostPlaceOptions {
  readonly root: string;
  readonly sourceEnv: Readonly<Record<string, string | undefined>>;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** Files only below the project; commands with all rights of the user, who asked for that in so many words. */
export function hostPlace({ root, sourceEnv, env }: HostPlaceOptions, budget: Budget): WorkPlace {
  return {
    label: 'the project on this machine',
    dir: root,
    async assertReachable(file) {
      await insideProject(root, file);
    },
    async exec(argv, { timeoutMs, maxBytes, signal }) {
      using _slot = budget.takeExec();
      const childEnv = { ...machineEnv(sourceEnv), ...env };
      const done = await run(argv, { cwd: root, env: childEnv, timeoutMs, maxBytes, signal });
      if (done.spawnError !== null) throw new WreckitError('INTERNAL', done.spawnError.message);
      return done;
    },
    async read(file, { maxBytes }) {
      const target = await insideProject(root, file);
      const { size } = await fs.stat(target).catch((error: unknown) => {
        throw unreadable(file, error);
      });
      if (size > maxBytes)
        throw new WreckitError(
          'PATH_INVALID',
          `read ${quote(file)}: it has ${size} bytes, at most ${maxBytes} are read`,
        );
      return await fs.readFile(target).catch((error: unknown) => {
        throw unreadable(file, error);
      });
    },
    async write(file, content) {
      const target = await insideProject(root, file);
      await fs.mkdir(path.dirname(target), { recursive: true });
      await fs.writeFile(target, content);
    },
  };
}

function unreadable(file: string, error: unknown): WreckitError {
  return new WreckitError('PATH_INVALID', `read ${quote(file)}: ${errnoOf(error) ?? String(error)}`, {
    hint: 'list the files there are: Glob',
    cause: error,
  });
}

/** The real path; a link on the way may not lead out. Throws `PATH_INVALID`. */
async function insideProject(root: string, file: string): Promise<string> {
  const outside = (): WreckitError =>
    new WreckitError('PATH_INVALID', `${quote(file)}: it is not below the project`, {
      hint: `the project is ${root}`,
    });
  if (file.includes('\0')) throw outside();
  const realRoot = await fs.realpath(root);
  const target = path.resolve(realRoot, file);
  const real = await realOf(target);
  if (real !== realRoot && !real.startsWith(`${realRoot}${path.sep}`)) throw outside();
  return real;
}

/** As `realpath`, for paths whose end is not there yet. */
async function realOf(target: string): Promise<string> {
  try {
    return await fs.realpath(target);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' || path.dirname(target) === target) throw error;
    // A link to nowhere is not there for realpath, and writing through it would make what it names.
    const link = await fs.readlink(target).catch(() => null);
    if (link !== null) return await realOf(path.resolve(path.dirname(target), link));
    return path.join(await realOf(path.dirname(target)), path.basename(target));
  }
}
