/** Starts a session's supervisor and hears from it that the command runs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, SpriteExecError } from '../../../errors.ts';
import type { Waiting } from '../../engine.ts';
import { execArgv, type RunningSprite, writeProcessFile } from '../inside.ts';
import { TOOL_ENV } from '../tools.ts';
import { readFacts } from './session-facts.ts';
import { insideRequest, type SessionRequest } from './session-request.ts';
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

/** Resolves once the command runs. Throws `SPRITE_EXEC_FAILED`, the abort reason; the caller cleans up then. */
export async function supervise(
  sprite: RunningSprite,
  path: string,
  request: SessionRequest,
  waiting: Waiting,
): Promise<Supervised> {
  const supervisor = spawnSupervisor(sprite, path, request);
  let stdin: StdinWriter | null = null;
  const openStdin = (): void => {
    stdin = StdinWriter.open(join(path, 'stdin'));
    // Says that the end is open: the supervisor now lets go of its own.
    supervisor.stdin?.end();
  };
  try {
    await hearStart(supervisor, openStdin, waiting);
    if (!isStarted(path)) throw startError(path);
    supervisor.unref();
    return { supervisor, stdin };
  } catch (error) {
    (stdin as StdinWriter | null)?.abandon();
    killTree(supervisor);
    throw error;
  } finally {
    supervisor.stdout?.destroy();
  }
}

function spawnSupervisor(sprite: RunningSprite, path: string, request: SessionRequest): ChildProcess {
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
      stdio: [input === 'pipe' ? 'pipe' : 'ignore', 'pipe', 'ignore', spec],
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
      ...execArgv(sprite, '/proc/self/fd/7', {
        detach: true,
        pidFile: join(path, 'pid'),
        preserveFds: 1,
        logFile: join(path, 'runtime.log'),
      }),
    ];
  }
}

/** Resolves when the supervisor says that the command runs, or ends. */
function hearStart(supervisor: ChildProcess, onStdin: () => void, { signal }: Waiting): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      if (error !== undefined) reject(error);
      else if (signal?.aborted) reject(signal.reason);
      else resolve();
    };
    // A start under way goes on for a moment: only what is known to run can be stopped.
    const onAbort = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => settle(signal?.reason), ABORTED_START_MS);
    };
    let timer = setTimeout(
      () => settle(new SpriteExecError('session: the runtime did not start the command in time')),
      START_TIMEOUT_MS,
    );
    signal?.addEventListener('abort', onAbort, { once: true });
    supervisor.once('error', (error) => settle(new SpriteExecError(`session: /bin/sh: ${error.message}`)));
    supervisor.once('exit', () => settle());
    supervisor.stdin?.on('error', () => undefined); // It is gone, which its exit tells.
    supervisor.stdout?.on('data', (said: Buffer) => {
      const words = said.toString('latin1').split('\n');
      if (words.includes('stdin')) onStdin();
      if (words.includes('started')) settle();
    });
  });
}

function isStarted(path: string): boolean {
  return (readFacts(path)?.state?.leader[0] ?? 0) !== 0;
}

function killTree(supervisor: ChildProcess): void {
  if (supervisor.pid === undefined) return;
  try {
    process.kill(-supervisor.pid, 'SIGKILL');
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error;
  }
}
