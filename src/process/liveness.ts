/** Whether anybody is left to stop: a zombie is not, though it can still be signalled. */
import { readdirSync } from 'node:fs';
import { errnoOf } from '../errors.ts';
import { readProcStat } from './proc-stat.ts';

/** As `kill(2)` takes it: a pid, or the negative id of a process group. */
export type SignalTarget = number;

/** `refused`: it is there, but not ours to signal. */
export function sendSignal(target: SignalTarget, signal: NodeJS.Signals | 0): 'sent' | 'gone' | 'refused' {
  try {
    process.kill(target, signal);
    return 'sent';
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ESRCH') return 'gone';
    // Darwin answers EPERM for a group that holds only zombies.
    if (errno === 'EPERM') return process.platform === 'darwin' ? 'gone' : 'refused';
    throw error;
  }
}

/**
 * Tells whether anybody of `target` is alive, again and again. Orphans stay zombies for as long as init doesn't
 * reap them, in some containers for ever; so on Linux the states are looked at, too.
 */
export class Liveness {
  readonly #target: SignalTarget;
  /** Seen alive last: looked at first, so that all of /proc is read only when it has ended. */
  #witness: number;

  constructor(target: SignalTarget) {
    this.#target = target;
    this.#witness = Math.abs(target);
  }

  isAlive(): boolean {
    if (sendSignal(this.#target, 0) === 'gone') return false;
    if (process.platform !== 'linux') return true;
    const stat = readProcStat(this.#witness);
    if (this.#target > 0) return stat?.isZombie !== true;
    const groupId = -this.#target;
    if (stat?.groupId === groupId && !stat.isZombie) return true;
    const { witness, zombies } = lookForMembers(groupId);
    if (witness !== null) this.#witness = witness;
    // Nobody seen at all: /proc hides the processes of others (hidepid), and the kernel said there is one.
    return witness !== null || (zombies === 0 && sendSignal(this.#target, 0) !== 'gone');
  }
}

/** A living process of the group, or how many dead ones there are. */
function lookForMembers(groupId: number): { witness: number | null; zombies: number } {
  let zombies = 0;
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const stat = readProcStat(pid);
    if (stat?.groupId !== groupId) continue;
    if (!stat.isZombie) return { witness: Number(pid), zombies };
    zombies += 1;
  }
  return { witness: null, zombies };
}
