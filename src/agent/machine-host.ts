/** Runs an agent's program on this machine, as a child in a process group of its own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signalGroup } from '../process/ladder.ts';
import { run } from '../process/run.ts';
import { machineEnv } from './agent-env.ts';
import { type CommandHost, type CommandOutcome, type CommandRequest, placeFiles } from './command-host.ts';
import type { Lifecycle } from './lifecycle.ts';

export interface MachineHostOptions {
  /** The project directory. */
  readonly cwd: string;
  /** Where PATH, HOME and the like are taken from; default this program's environment. */
  readonly sourceEnv?: Readonly<Record<string, string | undefined>> | undefined;
  readonly lifecycle?: Lifecycle | undefined;
  /** From SIGTERM to SIGKILL, in milliseconds; default 5000. */
  readonly graceMs?: number | undefined;
}

export function machineHost(options: MachineHostOptions): CommandHost {
  return {
    isSandbox: false,
    name: 'this machine',
    execute: (request) => withFiles(request.files, (directory) => execute(options, request, directory)),
  };
}

async function execute(
  { cwd, sourceEnv = process.env, lifecycle, graceMs }: MachineHostOptions,
  request: CommandRequest,
  filesDir: string,
): Promise<CommandOutcome> {
  const place = (text: string): string => placeFiles(text, filesDir);
  const env = { ...machineEnv(sourceEnv), ...request.env };
  const abort = new AbortController();
  const signals = [request.signal, lifecycle?.signal, abort.signal].filter((signal) => signal !== undefined);
  let entry: Disposable | undefined;
  const running = run(request.argv.map(place), {
    cwd: request.cwd ?? cwd,
    env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, place(value)])),
    stdin: request.stdin ?? 'ignore',
    stdout: request.onStdout,
    stderr: request.onStderr,
    timeoutMs: request.timeoutMs,
    graceMs,
    signal: AbortSignal.any(signals),
    force: lifecycle?.force,
    onSpawn: (pid) => {
      entry = lifecycle?.add({
        name: `${request.argv[0]} (pid ${pid})`,
        phase: 'agents',
        stop: async () => {
          abort.abort();
          await running.catch(() => undefined);
        },
        killNow: () => void signalGroup(pid, 'SIGKILL'),
      });
    },
  });
  try {
    const { exitCode, signal, timedOut, aborted, spawnError } = await running;
    return { exitCode, signal, timedOut, aborted, spawnError };
  } finally {
    entry?.[Symbol.dispose]();
  }
}

/** Calls `use` with a directory that holds `files` for as long as it runs. */
async function withFiles<T>(
  files: Readonly<Record<string, string>> | undefined,
  use: (directory: string) => Promise<T>,
): Promise<T> {
  if (files === undefined || Object.keys(files).length === 0) return await use('');
  // mkdtemp makes it with mode 0700.
  const directory = await mkdtemp(join(tmpdir(), 'wreckit-agent-'));
  try {
    for (const [name, content] of Object.entries(files))
      await writeFile(join(directory, name), content, { mode: 0o600, flag: 'wx' });
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
