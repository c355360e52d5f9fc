/** Ends what runs of a service: the signal to its process group, time to obey, SIGKILL to all of it. */
import { join } from 'node:path';
import { WreckitError } from '../../../errors.ts';
import { identify } from '../../../process/identity.ts';
import { signalGroup } from '../../../process/ladder.ts';
import type { Waiting } from '../../engine.ts';
import { Changes } from '../sessions/changes.ts';
import { killMembers, type Members, signalMembers } from '../sessions/members.ts';
import { readText } from '../sessions/small-file.ts';
import { note } from './journal.ts';
import { isSettled, isSupervised, readState, type StateRecord, writeStopped } from './service-state.ts';

/** From SIGKILL to the supervisor's last word, and from a start under way to a command that can be signalled. */
const SETTLE_MS = 3_000;
const LOOK_MS = 100;

export interface Stopping extends Waiting {
  /** The service's directory. */
  readonly dir: string;
  readonly service: string;
  /** The sprite's PID 1 on the host. */
  readonly initPid: number;
  /** From SIGTERM to SIGKILL. */
  readonly timeoutMs: number;
}

/** The caller holds the service's lock and has noted that nobody wants it to run. Throws `SPRITE_KILL_FAILED`. */
export async function stopService(stopping: Stopping): Promise<void> {
  const { dir } = stopping;
  note(dir, 'stopping');
  using changes = new Changes(dir);
  await askToEnd(stopping, changes);
  const state = readState(dir);
  const leader = leaderOf(dir, state);
  if (leader > 0 && state?.status !== 'stopped' && state?.status !== 'finished') {
    if (!(await killMembers(membersOf(stopping, leader)))) {
      throw new WreckitError(
        'SPRITE_KILL_FAILED',
        `service "${stopping.service}": its processes do not end`,
        { retryable: true },
      );
    }
    await untilSettled(dir, changes, SETTLE_MS);
  }
  const left = readState(dir);
  const status = left?.status;
  const isOver = left !== null && isSettled(left);
  if (!isOver || isSupervised(left)) await endSupervisor(stopping, left);
  else if (status !== 'stopped') writeStopped(dir);
}

/** It waits for something, or to start again; or it was gone before its command. */
async function endSupervisor(stopping: Stopping, left: StateRecord | null): Promise<void> {
  const { dir } = stopping;
  if (isSupervised(left)) killSupervisor(left);
  const lastLeader = leaderOf(dir, left);
  if (lastLeader > 0) await killMembers(membersOf(stopping, lastLeader));
  writeStopped(dir);
  note(dir, 'stopped');
}

/** Its supervisor, with whatever that has running on the host; what runs inside is left as it is. */
export function killSupervisor({ pid }: StateRecord): void {
  signalGroup(pid, 'SIGKILL');
}

export function membersOf(
  { service, initPid }: Pick<Stopping, 'service' | 'initPid'>,
  leader: number,
): Members {
  const init = identify(initPid) ?? { pid: initPid, startTime: '', bootId: '' };
  return { meta: { id: `of service ${service}`, init, tty: null }, state: { leader } };
}

/** SIGTERM, once there is something to send it to; until all is over, or the time is. */
async function askToEnd(stopping: Stopping, changes: Changes): Promise<void> {
  const { dir, timeoutMs, signal } = stopping;
  const startedAt = performance.now();
  const leftMs = (most: number): number => startedAt + most - performance.now();
  let isAsked = false;
  for (;;) {
    const state = readState(dir);
    if (!isSupervised(state) || isSettled(state)) return;
    if (state.status === 'backoff' || state.status === 'waiting') return;
    if (state.status === 'running' && !isAsked) {
      isAsked = true;
      if (timeoutMs > 0) await signalMembers(membersOf(stopping, state.leader), ['TERM']);
    }
    const most = isAsked ? timeoutMs : Math.max(timeoutMs, SETTLE_MS);
    if (leftMs(most) <= 0) return;
    await changes.next({ signal }, Math.min(LOOK_MS, leftMs(most)));
  }
}

async function untilSettled(dir: string, changes: Changes, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (isSupervised(readState(dir)) && performance.now() < deadline) await changes.next({}, LOOK_MS);
}

/** The runtime's own word where the supervisor has not come to it. */
function leaderOf(dir: string, state: StateRecord | null): number {
  if (state !== null && state.leader > 0) return state.leader;
  return state?.status === 'starting' ? Number(readText(join(dir, 'pid'))) || 0 : 0;
}
