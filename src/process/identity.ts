/** Which process a pid meant: pids are recycled, pid + start time + boot id is not. */
import { spawnSync } from 'node:child_process';
import { readIfThere, readProcStat } from './proc-stat.ts';

export interface ProcessIdentity {
  readonly pid: number;
  /** Linux: field 22 of /proc/PID/stat (clock ticks since boot); elsewhere what `ps -o lstart` says. */
  readonly startTime: string;
  /** Empty where the system has none. */
  readonly bootId: string;
}

/** The identity of a living process; null when there is none (a zombie has ended and counts as none). */
export function identify(pid: number): ProcessIdentity | null {
  if (!Number.isSafeInteger(pid) || pid <= 0) return null;
  const startTime = process.platform === 'linux' ? procStartTime(pid) : psStartTime(pid);
  return startTime === null ? null : { pid, startTime, bootId: bootId() };
}

/** True while the very process `identity` was taken of still runs. */
export function isSameProcess(identity: ProcessIdentity): boolean {
  const now = identify(identity.pid);
  return now !== null && now.startTime === identity.startTime && now.bootId === identity.bootId;
}

function procStartTime(pid: number): string | null {
  const stat = readProcStat(pid);
  return stat === null || stat.isZombie ? null : stat.startTime;
}

function psStartTime(pid: number): string | null {
  const { status, stdout } = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
    encoding: 'utf8',
  });
  const line = status === 0 ? stdout.trim() : '';
  return line === '' || line.startsWith('Z') ? null : line.replace(/^\S+\s+/, '');
}

function bootId(): string {
  return readIfThere('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
}
