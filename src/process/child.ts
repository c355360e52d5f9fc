/** One spawned child: its pipes, its exit as a promise, and the way to stop it with all it started. */
import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { type StopOptions, type StopOutcome, stopGroup, stopProcess } from './ladder.ts';
import { type SpawnError, spawnErrorOf } from './spawn-error.ts';

export type Stdio = 'ignore' | 'inherit' | 'pipe' | number;

export interface ChildSpec {
  argv: readonly string[];
  cwd: string | undefined;
  env: Readonly<Record<string, string>> | undefined;
  stdio: [Stdio, Stdio, Stdio];
}

export interface ChildExit {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly spawnError: SpawnError | null;
}

export interface Child {
  /** null: it was never started, see `exit`. */
  readonly pid: number | null;
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  readonly exit: Promise<ChildExit>;
  stop(options: StopOptions): Promise<StopOutcome>;
}

export function startChild({ argv, cwd, env, stdio }: ChildSpec): Child {
  const [program = '', ...args] = argv;
  // A new process group is a new session here, which has no terminal: who inherits ours stays in our group.
  const sharesTerminal = stdio[0] === 'inherit' && isTerminal();
  const leadsGroup = !sharesTerminal && process.platform !== 'win32';
  const notStarted = (error: unknown): ChildExit => ({
    exitCode: null,
    signal: null,
    spawnError: spawnErrorOf(error, program, cwd),
  });
  try {
    const child = spawn(program, args, {
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env: { ...env } }),
      stdio,
      detached: leadsGroup,
      windowsHide: true,
    });
    const exit = new Promise<ChildExit>((resolve) => {
      child.once('exit', (exitCode, signal) => resolve({ exitCode, signal, spawnError: null }));
      // Comes instead of `exit` when the program can't be started.
      child.on('error', (error) => resolve(notStarted(error)));
    });
    const pid = child.pid ?? null;
    return {
      pid,
      stdin: child.stdin,
      stdout: child.stdout,
      stderr: child.stderr,
      exit,
      stop: async (options) => {
        if (pid === null) return 'already_gone';
        return leadsGroup ? await stopGroup(pid, options) : await stopProcess(pid, options);
      },
    };
  } catch (error) {
    const exit = Promise.resolve(notStarted(error));
    return { pid: null, stdin: null, stdout: null, stderr: null, exit, stop: async () => 'already_gone' };
  }
}

/** node:tty is loaded when it is needed: it takes longer than all modules of this folder. */
function isTerminal(): boolean {
  return process.getBuiltinModule('node:tty').isatty(0);
}
