/** Starts a session's supervisor and hears from it that the command runs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, SpriteExecError } from '../../../errors.ts';
import { ownProcsFile } from '../cgroup.ts';
import { execArgv, type RunningSprite, writeProcessFile } from '../inside.ts';
import { TOOL_ENV } from '../tools.ts';
import type { Changes } from './changes.ts';
import { insideRequest, type SessionRequest } from './session-request.ts';
import { readState } from './session-state.ts';
import { startError } from './start-error.ts';
import { StdinWriter } from './stdin-writer.ts';
import { SUPERVISOR } from './supervisor.ts';

const BLOCK_BYTES = 64 * 1024;
/** The part of a log that is given up at a time. */
const ROUND_DIVISOR = 8;
/** From SIGTERM to SIGKILL when the session's time is over. */
export const TIMEOUT_GRACE_MS = 5_000;
const START_TIMEOUT_MS = 30_000;
const ABORTED_START_MS = 2_000;

export interface Supervised {
  /** Ends when the session has, and its last byte is in the logs. */
  readonly supervisor: ChildProcess;
  /** The writing end of the stdin of a session without a terminal. */
  readonly stdin: StdinWriter | null;
}

export interface Start {
  readonly sprite: RunningSprite;
  /** The session's directory. */
  readonly path: string;
  readonly request: SessionRequest;
  readonly changes: Changes;
  readonly signal?: AbortSignal | undefined;
}

/** Resolves once the command runs. Throws `SPRITE_EXEC_FAILED`, the abort reason; the caller cleans up then. */
export async function supervise(start: Start): Promise<Supervised> {
  const { path, request, changes, signal } = start;
  const supervisor = spawnSupervisor(start);
  const ended = endOf(supervisor, changes);
  const wake = (): void => changes.poke();
  signal?.addEventListener('abort', wake, { once: true });
  let stdin: StdinWriter | null = null;
  let deadline = performance.now() + START_TIMEOUT_MS;
  try {
    for (let wasAborted = false; ; ) {
      // Looked at first: what a supervisor wrote before it ended is then read.
      const { isOver, error } = ended;
      if (request.tty === null && request.hasStdin && stdin === null) {
        stdin = StdinWriter.open(join(path, 'stdin'));
        // Says that the end is open: the supervisor now lets go of its own.
        if (stdin !== null) supervisor.stdin?.end();
      }
      if (isStarted(path)) break;
      if (isOver) throw error ?? startError(path);
      if (signal?.aborted && !wasAborted) {
        // A start under way goes on for a moment: only what is known to run can be stopped.
        wasAborted = true;
        deadline = performance.now() + ABORTED_START_MS;
      }
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new SpriteExecError('exec: the runtime did not start the command in time');
      await changes.next({}, leftMs);
    }
    signal?.throwIfAborted();
    supervisor.unref();
    return { supervisor, stdin };
  } catch (error) {
    stdin?.abandon();
    killTree(supervisor);
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', wake);
  }
}

function endOf(supervisor: ChildProcess, changes: Changes): { isOver: boolean; error: Error | null } {
  const ended: { isOver: boolean; error: Error | null } = { isOver: false, error: null };
  const end = (error: Error | null): void => {
    ended.isOver = true;
    ended.error = error;
    changes.poke();
  };
  supervisor.once('exit', () => end(null));
  supervisor.once('error', (error) => end(new SpriteExecError(`exec: /bin/sh: ${error.message}`)));
  supervisor.stdin?.on('error', () => undefined); // It is gone, which its exit tells.
  return ended;
}

function spawnSupervisor({ sprite, path, request }: Start): ChildProcess {
  const processFile = join(path, 'process.json');
  writeProcessFile(processFile, sprite, insideRequest(sprite, request));
  const spec = openSync(processFile, 'r');
  // From here on only the supervisor and the runtime can read it: it holds the environment.
  rmSync(processFile);
  const input = request.tty !== null ? 'tty' : request.hasStdin ? 'pipe' : 'none';
  try {
    return spawn('/bin/sh', ['-c', 'eval "$WISP_SUPERVISOR"', 'wisp-session', ...argumentsOf()], {
      cwd: '/',
      detached: true,
      env: { ...TOOL_ENV, WISP_SUPERVISOR: SUPERVISOR },
      // No pipe that isn't needed: the first one of a process costs Bun some ms.
      stdio: [input === 'pipe' ? 'pipe' : 'ignore', 'ignore', 'ignore', spec],
    });
  } finally {
    closeSync(spec);
  }

  function argumentsOf(): string[] {
    const blocks = Math.floor(request.logCapBytes / BLOCK_BYTES) - 1;
    return [
      path,
      String(blocks * BLOCK_BYTES),
      String(Math.max(1, Math.floor(blocks / ROUND_DIVISOR))),
      input,
      request.timeoutMs === null ? '' : (request.timeoutMs / 1000).toFixed(3),
      String(TIMEOUT_GRACE_MS / 10),
      String(sprite.initPid),
      ownProcsFile() ?? '',
      ...execArgv(sprite, '/proc/self/fd/7', {
        pidFile: join(path, 'pid'),
        preserveFds: 4,
      }),
    ];
  }
}

function isStarted(path: string): boolean {
  return (readState(path)?.leader ?? 0) !== 0;
}

function killTree(supervisor: ChildProcess): void {
  if (supervisor.pid === undefined) return;
  try {
    process.kill(-supervisor.pid, 'SIGKILL');
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error;
  }
}
