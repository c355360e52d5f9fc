/**
 * The file `state` of a service: one line of ten fields, padded to a fixed length and written in place, so that it
 * is also written when the disk is full:
 *
 *   STATUS PID BORN LEADER INNER SINCE RESTARTS NEXT CODE WHY
 *
 * PID and BORN are the supervisor's; LEADER is the host's number of the command's kernel session, INNER that of the
 * command inside; SINCE and NEXT are hundredths of a second since boot; 0 and "-" stand for none.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identify, isSameProcess } from '../../../process/identity.ts';
import type { ServiceState } from '../../services.ts';
import { ticksNow } from '../sessions/session-state.ts';
import { signalName } from '../sessions/signal-names.ts';
import { readText } from '../sessions/small-file.ts';

const STATE_BYTES = 256;

/**
 * `waiting`: for a need · `backoff`: crashed, to be started again · `failed`: given up · `finished`: ended by itself
 * with exit code 0 · `stopped`: by somebody.
 */
const STATUSES = ['starting', 'waiting', 'running', 'backoff', 'failed', 'finished', 'stopped'] as const;
type Status = (typeof STATUSES)[number];

export interface StateRecord {
  readonly status: Status;
  readonly pid: number;
  readonly born: string;
  readonly leader: number;
  readonly inner: number;
  readonly since: number;
  readonly restarts: number;
  readonly next: number;
  /** null: it has not ended, or nobody knows how. */
  readonly code: number | null;
  /** The need that is waited for, or `exec` where the command could not be started. */
  readonly why: string;
}

/** null: nothing has been done for it since the sprite came up. */
export function readState(dir: string): StateRecord | null {
  const [status, pid, born = '', leader, inner, since, restarts, next, code, why] = readText(
    join(dir, 'state'),
  )
    .trim()
    .split(' ');
  const known = STATUSES.find((each) => each === status);
  if (known === undefined || why === undefined) return null;
  return {
    status: known,
    pid: Number(pid),
    born,
    leader: Number(leader),
    inner: Number(inner),
    since: Number(since),
    restarts: Number(restarts),
    next: Number(next),
    code: code === '-' ? null : Number(code),
    why,
  };
}

export function clearState(dir: string): void {
  rmSync(join(dir, 'state'), { force: true });
}

/** For a service without a supervisor: nobody else writes there. */
export function writeStopped(dir: string): void {
  const restarts = readState(dir)?.restarts ?? 0;
  const line = `stopped 0 - 0 0 0 ${restarts} 0 - -`;
  writeFileSync(join(dir, 'state'), `${line.padEnd(STATE_BYTES - 1)}\n`, { mode: 0o600 });
}

/** The caller knows that the sprite has not been down since. */
export function isSupervised(state: StateRecord | null): state is StateRecord {
  if (state === null || state.pid <= 0) return false;
  const bootId = identify(process.pid)?.bootId ?? '';
  return isSameProcess({ pid: state.pid, startTime: state.born, bootId });
}

/** It is over: nobody starts it again by himself. */
export function isSettled({ status }: StateRecord): boolean {
  return status === 'failed' || status === 'finished' || status === 'stopped';
}

const STOPPED: ServiceState = {
  status: 'stopped',
  pid: null,
  started_at: null,
  error: null,
  restart_count: 0,
  next_restart_at: null,
};

/** `state`: null where the sprite is down. `readReason`: why it could not be started. */
export function stateView(
  state: StateRecord | null,
  { isWanted, readReason }: { readonly isWanted: boolean; readonly readReason: () => string },
): ServiceState {
  if (state === null) return STOPPED;
  const common = { ...STOPPED, restart_count: state.restarts, error: errorOf(state, readReason) };
  switch (state.status) {
    case 'starting':
    case 'waiting':
      return { ...common, status: 'starting' };
    case 'running':
      return {
        ...common,
        status: isWanted ? 'running' : 'stopping',
        pid: state.inner === 0 ? null : state.inner,
        started_at: timeOfTicks(state.since),
      };
    case 'backoff':
      return { ...common, status: 'failed', next_restart_at: timeOfTicks(state.next) };
    case 'failed':
      return { ...common, status: 'failed' };
    case 'finished':
    case 'stopped':
      return { ...common, status: 'stopped' };
  }
}

/** Hundredths of a second since boot as a time. */
function timeOfTicks(ticks: number): string {
  return new Date(msOfTicks(ticks)).toISOString();
}

export function msOfTicks(ticks: number): number {
  return Date.now() - (ticksNow() - ticks) * 10;
}

function errorOf(state: StateRecord, readReason: () => string): string | null {
  switch (state.status) {
    case 'waiting':
      return `it waits for "${state.why}" to run`;
    case 'backoff':
      return endText(state, readReason);
    case 'failed':
      return `${endText(state, readReason)}, ${state.restarts + 1} times: given up`;
    default:
      return null;
  }
}

function endText({ code, why }: StateRecord, readReason: () => string): string {
  if (why === 'exec') return readReason() || 'it could not be started';
  // Nothing but SIGKILL ends what would tell.
  if (code === null) return 'it was killed, which also happens when memory runs out';
  const signal = code > 128 ? signalName(code - 128) : null;
  return signal === null
    ? `it ended with exit code ${code}`
    : `it was ended by ${signal} (exit code ${code})`;
}
