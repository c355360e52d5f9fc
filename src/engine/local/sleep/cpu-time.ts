/** CPU time that a sprite has used: what its control group says, or, where it has none, its processes. */
import { readdirSync, readlinkSync } from 'node:fs';
import { errnoOf } from '../../../errors.ts';
import { readIfThere } from '../../../process/proc-stat.ts';
import { cgroupCpuMs } from '../cgroup.ts';
import type { Mount } from '../host-mounts.ts';

/** USER_HZ, which is 100 on every machine Linux runs on today. */
const TICK_MS = 10;
/** utime, stime and those of children that were waited for, counted from the state behind the name. */
const TIME_FIELDS = [11, 12, 13, 14];

/** Null: it can't be told, or the sprite is gone. */
export function cpuTimeMs(initPid: number, group: string, mounts?: readonly Mount[]): number | null {
  return cgroupCpuMs(initPid, group, mounts) ?? timeOfProcesses(initPid);
}

function timeOfProcesses(initPid: number): number | null {
  const namespace = linkOf(`/proc/${initPid}/ns/pid`);
  if (namespace === null) return null;
  const own = readdirSync('/proc').filter(
    (name) => /^\d+$/.test(name) && linkOf(`/proc/${name}/ns/pid`) === namespace,
  );
  return own.reduce((sum, pid) => sum + timeOf(pid), 0);
}

function timeOf(pid: string): number {
  const text = readIfThere(`/proc/${pid}/stat`) ?? '';
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return TIME_FIELDS.reduce((sum, at) => sum + Number(fields[at] ?? 0), 0) * TICK_MS;
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return null;
  }
}
