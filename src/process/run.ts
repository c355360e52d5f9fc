/**
 * Runs one child program in a process group of its own and says how it ended.
 *
 *   spawn ─▶ feed stdin, read stdout and stderr
 *     │        first cause of ending wins and is kept: exit │ deadline │ abort │ a sink or source that failed
 *     ├─ deadline, abort, failure ─▶ stop ladder on the whole group: SIGTERM → grace → SIGKILL
 *     └─ exit ─▶ short bounded drain ─▶ let go of the pipes ─▶ result
 *
 * The end is the child's `exit`, never `close`: a grandchild that holds a pipe holds nobody. Processes that an
 * undisturbed child leaves behind are left alone.
 */
import { fired } from './abort.ts';
import { type Child, type ChildExit, startChild } from './child.ts';
import { Ending } from './ending.ts';
import { feedInput, prepareInput, type StdinSource } from './input.ts';
import { DEFAULT_GRACE_MS } from './ladder.ts';
import { OutputReader, type OutputSink } from './output.ts';
import type { SpawnError } from './spawn-error.ts';

export type { StdinSource } from './input.ts';
export type { OutputSink } from './output.ts';
export type { SpawnError } from './spawn-error.ts';

export interface RunOptions {
  cwd?: string | undefined;
  /** The whole environment of the child; absent: the parent's. */
  env?: Readonly<Record<string, string>> | undefined;
  /** Default `ignore`. With `inherit` on a terminal the child stays in our process group, to have the terminal. */
  stdin?: StdinSource | undefined;
  /** Default `capture`. */
  stdout?: OutputSink | undefined;
  stderr?: OutputSink | undefined;
  /** Cap of each captured stream, in bytes; default 8 MiB. Head and tail are kept. */
  maxBytes?: number | undefined;
  /** Absent: no deadline. */
  timeoutMs?: number | undefined;
  /** From SIGTERM to SIGKILL; default 5000. */
  graceMs?: number | undefined;
  signal?: AbortSignal | undefined;
  /** When it fires, a stop under way skips the rest of its grace (a second Ctrl+C). */
  force?: AbortSignal | undefined;
  /** Called once, as soon as the program runs. */
  onSpawn?: ((pid: number) => void) | undefined;
}

export interface RunResult {
  argv: readonly string[];
  /** Anything but an undisturbed exit 0. */
  failed: boolean;
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  timedOut: boolean;
  aborted: boolean;
  /** The program could not be started: nothing ran. */
  spawnError: SpawnError | null;
  stdout: Uint8Array;
  stderr: Uint8Array;
  /** Of both streams together. */
  truncatedBytes: number;
  stdoutTruncatedBytes: number;
  stderrTruncatedBytes: number;
  durationMs: number;
}

const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;
/** How long the pipes are still read once a stopped child is gone. */
const CUT_DRAIN_MS = 250;
/** How long the exit of a child that is gone may take to be reported here: the event loop can be behind. */
const LATE_EXIT_MS = 1000;
/** The same for one that even SIGKILL didn't end: it won't be. */
const NO_EXIT_MS = 50;

const NO_EXIT: ChildExit = { exitCode: null, signal: null, spawnError: null };

/**
 * Runs `argv[0]` (a path, or a name on the child's PATH) with the rest as arguments; no shell. Never rejects
 * for the child's fate. Rejects with what a sink or the stdin source threw, once the child is stopped, and
 * with `USAGE` for a stdin file that can't be opened.
 */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const startedAt = performance.now();
  const ending = new Ending(options.signal, options.timeoutMs);
  try {
    const input = await prepareInput(options.stdin ?? 'ignore');
    if (ending.cause !== null) {
      await input.close();
      return resultOf(argv, ending, NO_EXIT, [], startedAt);
    }
    const child = startChild({
      argv,
      cwd: options.cwd,
      env: options.env,
      stdio: [input.stdio, stdioOf(options.stdout), stdioOf(options.stderr)],
    });
    const readers = [readerOf(child.stdout, options.stdout), readerOf(child.stderr, options.stderr)];
    const feed = feedInput(child.stdin, input.content, (error) => ending.fail(error));
    announce(child.pid);
    await input.close();
    const exit = await exitOf(child, ending, options);
    feed.stop();
    await drainAll(readers, ending);
    if (ending.failure !== null) throw ending.failure.error;
    return resultOf(argv, ending, exit, readers, startedAt);
  } finally {
    ending.dispose();
  }

  function announce(pid: number | null): void {
    try {
      if (pid !== null) options.onSpawn?.(pid);
    } catch (error) {
      ending.fail(error);
    }
  }

  function readerOf(stream: Child['stdout'], sink: OutputSink = 'capture'): OutputReader {
    const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    return new OutputReader({ stream, sink, maxBytes, onSinkError: (error) => ending.fail(error) });
  }
}

function stdioOf(sink: OutputSink = 'capture'): 'inherit' | 'ignore' | 'pipe' {
  return sink === 'inherit' || sink === 'ignore' ? sink : 'pipe';
}

/** Waits for the exit, or stops the child when something else ends the run first. */
async function exitOf(child: Child, ending: Ending, options: RunOptions): Promise<ChildExit> {
  const exit = await Promise.race([child.exit, fired(ending.interrupted)]);
  if (exit !== undefined) {
    ending.exited();
    return exit;
  }
  const outcome = await child.stop({ graceMs: options.graceMs ?? DEFAULT_GRACE_MS, force: options.force });
  const lateMs = outcome === 'survived' ? NO_EXIT_MS : LATE_EXIT_MS;
  const timeout = new AbortController();
  const late = sleep(lateMs, timeout.signal).then(() => NO_EXIT);
  return await Promise.race([child.exit, late]).finally(() => timeout.abort());
}

async function drainAll(readers: readonly OutputReader[], ending: Ending): Promise<void> {
  const cut = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const cutSoon = (): void => {
    timer ??= setTimeout(() => cut.abort(), CUT_DRAIN_MS);
  };
  if (ending.interrupted.aborted) cutSoon();
  else ending.interrupted.addEventListener('abort', cutSoon, { once: true });
  await Promise.all(readers.map((reader) => reader.drain(cut.signal)));
  clearTimeout(timer);
  ending.interrupted.removeEventListener('abort', cutSoon);
  for (const reader of readers) reader.destroy();
}

function resultOf(
  argv: readonly string[],
  ending: Ending,
  exit: ChildExit,
  readers: readonly OutputReader[],
  startedAt: number,
): RunResult {
  const [out, err] = readers.map((reader) => reader.capture);
  const stdoutTruncatedBytes = out?.truncatedBytes ?? 0;
  const stderrTruncatedBytes = err?.truncatedBytes ?? 0;
  return {
    argv,
    failed: ending.cause !== 'exited' || exit.exitCode !== 0,
    ...exit,
    timedOut: ending.cause === 'timed_out',
    aborted: ending.cause === 'aborted',
    stdout: out?.toBytes() ?? new Uint8Array(0),
    stderr: err?.toBytes() ?? new Uint8Array(0),
    truncatedBytes: stdoutTruncatedBytes + stderrTruncatedBytes,
    stdoutTruncatedBytes,
    stderrTruncatedBytes,
    durationMs: performance.now() - startedAt,
  };
}

/** Resolves after `durationMs`, or when `signal` fires. */
function sleep(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, durationMs);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
