/**
 * The stop ladder: a polite signal → grace → SIGKILL. It looks at the processes themselves, never at a flag
 * that only says a signal was sent. Works for any pid, not only for children of this process.
 */
import { Liveness, type SignalTarget, sendSignal } from './liveness.ts';

export interface StopOptions {
  /** How long the polite signal may take, in milliseconds; default 5000. */
  graceMs?: number | undefined;
  /** The polite signal; default SIGTERM. */
  signal?: NodeJS.Signals | undefined;
  /** When it fires, the rest of the grace is skipped. */
  force?: AbortSignal | undefined;
}

/**
 * `already_gone`: nothing to signal · `ended`: by the polite signal · `killed`: SIGKILL was needed ·
 * `survived`: still there (not ours to signal, or stuck in the kernel).
 */
export type StopOutcome = 'already_gone' | 'ended' | 'killed' | 'survived';

export const DEFAULT_GRACE_MS = 5000;
const KILL_WAIT_MS = 500;
const FIRST_POLL_MS = 10;
const LAST_POLL_MS = 100;

/** Stops every process of the group that `pid` leads. */
export function stopGroup(pid: number, options: StopOptions = {}): Promise<StopOutcome> {
  return climb(-assertPid(pid), options);
}

/** Stops the one process `pid`: for a child that shares our terminal and so our process group. */
export function stopProcess(pid: number, options: StopOptions = {}): Promise<StopOutcome> {
  return climb(assertPid(pid), options);
}

/** Sends `signal` to the group that `pid` leads; false when nobody is left in it (or it isn't ours). */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  return sendSignal(-assertPid(pid), signal) === 'sent';
}

async function climb(target: SignalTarget, options: StopOptions): Promise<StopOutcome> {
  const { graceMs = DEFAULT_GRACE_MS, signal = 'SIGTERM', force } = options;
  const liveness = new Liveness(target);
  if (!liveness.isAlive() || sendSignal(target, signal) === 'gone') return 'already_gone';
  if (await isGoneWithin(liveness, graceMs, force)) return 'ended';
  if (sendSignal(target, 'SIGKILL') === 'gone') return 'ended';
  return (await isGoneWithin(liveness, KILL_WAIT_MS)) ? 'killed' : 'survived';
}

async function isGoneWithin(liveness: Liveness, waitMs: number, force?: AbortSignal): Promise<boolean> {
  const endAt = performance.now() + waitMs;
  for (let pollMs = FIRST_POLL_MS; liveness.isAlive(); pollMs = Math.min(LAST_POLL_MS, pollMs * 1.5)) {
    const leftMs = endAt - performance.now();
    if (leftMs <= 0 || force?.aborted) return false;
    await sleep(Math.min(pollMs, leftMs));
  }
  return true;
}

function sleep(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}

/** -0, -1 and 1 would signal our own group, everything there is, or init. */
function assertPid(pid: number): number {
  if (Number.isSafeInteger(pid) && pid > 1) return pid;
  throw new RangeError(`stop a process: ${pid} is not a pid that may be signalled`);
}
