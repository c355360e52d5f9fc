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
 * Orphans stay zombies for as long as init doesn't reap them, in some containers for ever; so on Linux the
 * states are looked at, too.
 */
export function isAlive(target: SignalTarget): boolean {
  if (sendSignal(target, 0) === 'gone') return false;
  if (process.platform !== 'linux') return true;
  return target > 0 ? readProcStat(target)?.isZombie !== true : isGroupAlive(-target);
}

function isGroupAlive(groupId: number): boolean {
  let zombies = 0;
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const stat = readProcStat(pid);
    if (stat?.groupId !== groupId) continue;
    if (!stat.isZombie) return true;
    zombies += 1;
  }
  // None seen at all: /proc hides the processes of others (hidepid), and the kernel said there is one.
  return zombies === 0 && sendSignal(-groupId, 0) !== 'gone';
}
